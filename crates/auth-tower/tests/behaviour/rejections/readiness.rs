//! A replay follows tower's contract, and no request waits while it holds a permit.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{Authorizer, BoxError, ClientAuthentication, ClientCredentials, TokenCache};
use auth_test_support::{
    Deployment, GatedSource, Strict, get, hyper_clients::hyper_client, scripted::Scripted,
    with_timeout,
};
use auth_tower::{AuthLayer, TowerTransport};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

const API: &str = "https://api.example.com";

/// Rejects the first token of a source.
fn reject_the_first(mut response: Response<Request<Full<Bytes>>>) -> Response<StatusCode> {
    let header = &response.body().headers()[AUTHORIZATION];
    if header.to_str().unwrap().ends_with('1') {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    let status = response.status();
    response.map(|_| status)
}

/// Reported elsewhere: tower-resilience#286, tower#547.
#[tokio::test]
async fn the_replay_calls_a_ready_service() {
    let (strict, log) = Strict::new();
    let inner = ServiceBuilder::new().map_response(reject_the_first);
    let authorizer = GatedSource::open().warm_authorizer(API).await;
    let client = AuthLayer::new(authorizer.clone()).layer(inner.service(strict));
    let response = client.oneshot(get(API)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(log.called().len(), 2);
    assert_eq!(log.called(), log.readied());
    assert_eq!(log.permits(), 0);
}

#[tokio::test]
async fn waiting_for_another_token_holds_no_permit() {
    let (strict, log) = Strict::new();
    let inner = ServiceBuilder::new().map_response(reject_the_first);
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::new(source.clone());
    tokens.token().await.unwrap();
    let _held = source.clone().hold();
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let client = AuthLayer::new(authorizer.clone()).layer(inner.service(strict));
    let mut call = task::spawn(client.oneshot(get(API)));
    assert_pending!(call.poll());
    assert_eq!(log.called().len(), 1);
    assert_eq!(log.permits(), 0);
    source.release();
    assert_eq!(call.await.unwrap().status(), StatusCode::OK);
    assert_eq!(log.permits(), 0);
}

/// A deadlock would end in a timeout, which takes no real time because the time is paused.
#[tokio::test(start_paused = true)]
async fn one_permit_shared_by_the_api_and_the_token_requests_is_no_deadlock() {
    let issued = Arc::new(AtomicUsize::new(0));
    let server = {
        let issued = issued.clone();
        service_fn(move |request: Request<Full<Bytes>>| {
            let mut response = Response::new(Full::<Bytes>::default());
            let sent = request.headers().get(AUTHORIZATION);
            if request.uri().path() == "/token" {
                let number = issued.fetch_add(1, SeqCst) + 1;
                let token = format!(r#"{{"access_token":"t{number}","token_type":"Bearer"}}"#);
                *response.body_mut() = token.into();
            } else if sent.is_none_or(|sent| sent == "Bearer t1") {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            async { Ok::<_, Infallible>(response) }
        })
    };
    let one_at_a_time = ServiceBuilder::new().concurrency_limit(1).service(server);
    let grant = ClientCredentials::builder(
        "https://as.example.com/token",
        "client",
        ClientAuthentication::client_secret_basic("s3cr3t"),
    );
    let transport = TowerTransport::new(one_at_a_time.clone());
    let tokens = TokenCache::new(grant.build(transport).unwrap());
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let client = AuthLayer::new(authorizer).layer(one_at_a_time);
    let calls = (0..4).map(|_| client.clone().oneshot(get(API)));
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(issued.load(SeqCst), 2);
}

/// Sends twenty concurrent requests with a revoked token.
async fn replaces_the_token<S, Out>(deployment: &Deployment, client: S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<Out>, Error = BoxError> + Clone,
{
    let calls = (0..20).map(|_| client.clone().oneshot(get(deployment.api.url())));
    for outcome in with_timeout(join_all(calls)).await {
        assert_eq!(outcome.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 2);
}

#[tokio::test]
async fn over_a_buffer_and_a_limit() {
    let deployment = Deployment::start().await;
    let layer = AuthLayer::new(deployment.revoked().await);
    let stack = ServiceBuilder::new().layer(layer).buffer(1);
    let client = stack.concurrency_limit(1).service(hyper_client());
    replaces_the_token(&deployment, client).await;
}

#[tokio::test]
async fn under_a_buffer_and_over_a_limit() {
    let deployment = Deployment::start().await;
    let layer = AuthLayer::new(deployment.revoked().await);
    let stack = ServiceBuilder::new().buffer(1).layer(layer);
    let client = stack.concurrency_limit(1).service(hyper_client());
    replaces_the_token(&deployment, client).await;
}

#[tokio::test]
async fn under_a_limit_and_over_a_buffer() {
    let deployment = Deployment::start().await;
    let layer = AuthLayer::new(deployment.revoked().await);
    let stack = ServiceBuilder::new().concurrency_limit(2).layer(layer);
    let client = stack.buffer(1).service(hyper_client());
    replaces_the_token(&deployment, client).await;
}
