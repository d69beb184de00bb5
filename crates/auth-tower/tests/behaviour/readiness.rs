//! tower's contract: a service is called only when it is ready, and a ready service may hold a permit.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use auth_core::{
    Authorizer, BoxError, ClientAuthentication, ClientCredentials, ErrorKind, TokenCache,
};
use auth_test_support::{GatedSource, Strict, get, scripted::Scripted};
use auth_testing::TokioClock;
use auth_tower::{AuthLayer, TowerTransport};
use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

const API: &str = "https://api.example.com";

fn request() -> Request<()> {
    Request::get(API).body(()).unwrap()
}

/// Calls the service once it is ready. The returned future has not been polled.
async fn ready_call<S, B>(client: &mut S, request: Request<B>) -> S::Future
where
    S: Service<Request<B>, Error = BoxError>,
{
    client.ready().await.unwrap().call(request)
}

/// Reported elsewhere: tower-resilience#286.
#[tokio::test]
async fn with_a_cached_token_the_ready_service_is_called() {
    let (inner, log) = Strict::new();
    let authorizer = GatedSource::open().warm_authorizer(API).await;
    let mut client = AuthLayer::new(authorizer).layer(inner);
    for _ in 0..2 {
        let response = ready_call(&mut client, request()).await;
        let carried = response.await.unwrap().into_body().into_inner();
        assert_eq!(carried.headers()[AUTHORIZATION], "Bearer token-1");
    }
    assert_eq!(log.readied(), [0, 0]);
    assert_eq!(log.called(), [0, 0]);
}

#[tokio::test]
async fn a_request_that_passes_without_a_token_goes_to_the_ready_service() {
    let (inner, log) = Strict::new();
    let source = GatedSource::held();
    let mut client = AuthLayer::new(source.authorizer("https://other.example.com")).layer(inner);
    let response = ready_call(&mut client, request()).await;
    assert!(
        response
            .await
            .unwrap()
            .into_body()
            .into_inner()
            .headers()
            .is_empty()
    );
    assert_eq!(log.called(), [0]);
}

#[tokio::test]
async fn waiting_for_a_token_returns_the_permit_and_takes_another_for_the_call() {
    let (inner, log) = Strict::new();
    let source = GatedSource::held();
    let mut client = AuthLayer::new(source.authorizer(API)).layer(inner);
    let mut call = task::spawn(ready_call(&mut client, request()).await);
    assert_eq!(log.permits(), 0, "before it is polled");
    assert_pending!(call.poll());
    assert_eq!(log.permits(), 0, "while it waits");
    assert!(log.called().is_empty());
    source.release();
    let carried = call.await.unwrap().into_body().into_inner();
    assert_eq!(carried.headers()[AUTHORIZATION], "Bearer token-1");

    let again = ready_call(&mut client, request()).await;
    again.await.unwrap();
    assert_eq!(log.called(), log.readied()[1..]);
    assert_eq!(log.called().len(), 2);
    assert_eq!(log.permits(), 0);
}

/// A deadlock would end in a timeout, which takes no real time because the time is paused.
#[tokio::test(start_paused = true)]
async fn one_permit_shared_by_the_api_and_the_token_requests_is_no_deadlock() {
    let server = service_fn(|request: Request<Full<Bytes>>| async move {
        let body = match request.uri().path() {
            "/token" => r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
            _ if request.headers().contains_key(AUTHORIZATION) => "welcome",
            _ => "no token",
        };
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(body)))
    });
    let one_at_a_time = ServiceBuilder::new().concurrency_limit(1).service(server);
    let grant = ClientCredentials::builder(
        "https://as.example.com/token",
        "client",
        ClientAuthentication::client_secret_basic("s3cr3t"),
    );
    let transport = TowerTransport::new(one_at_a_time.clone());
    let tokens = TokenCache::new(grant.build(transport).unwrap());
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let mut client = AuthLayer::new(authorizer).layer(one_at_a_time);
    for _ in 0..2 {
        let response = ready_call(&mut client, get(API)).await.await.unwrap();
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        assert_eq!(body.unwrap().to_bytes(), "welcome");
    }
}

#[tokio::test]
async fn a_dropped_call_releases_its_request_and_stops_no_other_call() {
    let (inner, log) = Strict::new();
    let source = GatedSource::held();
    let mut client = AuthLayer::new(source.authorizer(API)).layer(inner);
    let body = Arc::new("body");
    let with_body = || Request::get(API).body(Arc::clone(&body)).unwrap();
    let mut first = task::spawn(ready_call(&mut client, with_body()).await);
    let mut second = task::spawn(ready_call(&mut client, with_body()).await);
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(first);
    assert_eq!(
        Arc::strong_count(&body),
        2,
        "one for the second call, one for the test"
    );
    source.release();
    let carried = second.await.unwrap().into_body().into_inner();
    assert_eq!(carried.headers()[AUTHORIZATION], "Bearer token-1");
    assert_eq!(source.requests(), 1);
    assert_eq!(log.called().len(), 1);
    assert_eq!(log.permits(), 0);
}

/// Reported elsewhere: Duende.
#[tokio::test]
async fn a_request_without_a_token_is_not_sent() {
    let (inner, log) = Strict::new();
    let source = GatedSource::failing(ErrorKind::Denied);
    let client = AuthLayer::new(source.authorizer(API)).layer(inner);
    for _ in 0..2 {
        let outcome = client.clone().oneshot(request()).await;
        let error = outcome.unwrap_err().downcast::<auth_core::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
    assert!(log.called().is_empty());
    assert_eq!(source.requests(), 1);
}

#[tokio::test]
async fn cold_callers_share_one_failure_and_none_is_sent() {
    let (inner, log) = Strict::new();
    let source = GatedSource::failing(ErrorKind::Unavailable);
    let client = AuthLayer::new(source.authorizer(API)).layer(inner);
    let calls = (0..32).map(|_| client.clone().oneshot(request()));
    for outcome in futures_util::future::join_all(calls).await {
        let error = outcome.unwrap_err().downcast::<auth_core::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(source.requests(), 1);
    assert!(log.called().is_empty());
}

/// An error of the inner service.
#[derive(Debug, Eq, PartialEq)]
struct Broken(&'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Broken {}

/// Fails in `poll_ready` if `unready` is set, and in every call.
#[derive(Clone, Debug, Default)]
struct Failing {
    unready: Arc<Mutex<bool>>,
}

impl Service<Request<()>> for Failing {
    type Response = Response<()>;
    type Error = Broken;
    type Future = Ready<Result<Response<()>, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let unready = *self.unready.lock().unwrap();
        Poll::Ready(if unready {
            Err(Broken("poll_ready"))
        } else {
            Ok(())
        })
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Err(Broken("call")))
    }
}

#[track_caller]
fn broken(error: BoxError) -> Broken {
    *error.downcast().unwrap()
}

#[tokio::test]
async fn an_inner_error_passes_unchanged() {
    let client = AuthLayer::new(GatedSource::open().authorizer(API)).layer(Failing::default());
    for token in ["awaited", "cached"] {
        let error = client.clone().oneshot(request()).await.unwrap_err();
        assert_eq!(broken(error), Broken("call"), "{token}");
    }
}

#[tokio::test]
async fn an_error_of_poll_ready_passes_unchanged() {
    let inner = Failing::default();
    *inner.unready.lock().unwrap() = true;
    let mut client = AuthLayer::new(GatedSource::open().authorizer(API)).layer(inner);
    let mut ready = task::spawn(());
    let error = ready.enter(|cx, _| assert_ready!(client.poll_ready(cx)));
    assert_eq!(broken(error.unwrap_err()), Broken("poll_ready"));
}

#[tokio::test]
async fn an_error_of_poll_ready_after_the_wait_passes_unchanged() {
    let (inner, source) = (Failing::default(), GatedSource::held());
    let mut client = AuthLayer::new(source.authorizer(API)).layer(inner.clone());
    let mut ready = task::spawn(());
    ready.enter(|cx, _| assert_ready_ok!(client.poll_ready(cx)));
    let mut call = task::spawn(client.call(request()));
    assert_pending!(call.poll());
    *inner.unready.lock().unwrap() = true;
    source.release();
    assert_eq!(broken(call.await.unwrap_err()), Broken("poll_ready"));
}

/// The lifetime of the awaited token is a minute. The permit for the call is available after five minutes.
#[tokio::test(start_paused = true)]
async fn a_token_that_expired_before_the_service_was_ready_is_not_sent() {
    let source = Scripted::expires_in(60);
    let tokens = TokenCache::builder(source).clock(TokioClock::new()).build();
    let authorizer = Authorizer::builder(tokens).origin(API);
    let slow = service_fn(|request: Request<()>| async move {
        tokio::time::sleep(Duration::from_secs(300)).await;
        let sent = request.headers()[AUTHORIZATION]
            .to_str()
            .unwrap()
            .to_owned();
        Ok::<_, Infallible>(Response::new(sent))
    });
    let limited = ServiceBuilder::new().concurrency_limit(1).service(slow);
    let mut client = AuthLayer::new(authorizer.build().unwrap()).layer(limited);
    let mut calls = Vec::new();
    for _ in 0..3 {
        // without a cached token, the call returns its permit, and waits for a token and then for a permit
        calls.push(ready_call(&mut client, request()).await);
    }
    let sent: Vec<_> = futures_util::future::join_all(calls).await;
    let sent: Vec<_> = sent
        .into_iter()
        .map(|sent| sent.unwrap().into_body().into_inner())
        .collect();
    assert_eq!(sent, ["Bearer t1", "Bearer t2", "Bearer t3"]);
}
