//! `grpc-timeout`: the caller's deadline bounds everything that the layer does for a call.

use std::{
    convert::Infallible,
    error::Error as _,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use auth_core::{Authorizer, BoxError, ErrorKind, TokenCache};
use auth_test_support::{Deployment, scripted::Scripted, secs, settle, with_timeout};
use auth_testing::ManualClock;
use auth_tower::{AuthLayer, ResponseBody};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::Full;
use tokio::sync::watch;
use tokio_test::{
    assert_pending, assert_ready,
    task::{self, Spawn},
};
use tonic::{Code, Status, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer, Service, ServiceExt, util::BoxCloneService};

const API: &str = "https://api.example.com";

/// An API whose readiness and answers the test sets. It records the token and the `grpc-timeout` of each
/// request.
#[derive(Clone)]
struct Api {
    is_ready: Arc<AtomicBool>,
    answers: Arc<watch::Sender<bool>>,
    /// The number of requests whose token it still rejects.
    rejections: Arc<AtomicUsize>,
    sent: Arc<Mutex<Vec<(String, String)>>>,
}

impl Api {
    fn new() -> Self {
        Self {
            is_ready: Arc::new(AtomicBool::new(true)),
            answers: Arc::new(watch::Sender::new(true)),
            rejections: Arc::default(),
            sent: Arc::default(),
        }
    }

    fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap().clone()
    }
}

impl Service<Request<Full<Bytes>>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self.is_ready.load(SeqCst) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or(String::new(), |v| v.to_str().unwrap().to_owned())
        };
        let sent = (header(AUTHORIZATION.as_str()), header("grpc-timeout"));
        self.sent.lock().unwrap().push(sent);
        let less = |n: usize| n.checked_sub(1);
        let status = match self.rejections.fetch_update(SeqCst, SeqCst, less) {
            Ok(_) => StatusCode::UNAUTHORIZED,
            Err(_) => StatusCode::OK,
        };
        let mut answers = self.answers.subscribe();
        Box::pin(async move {
            answers.wait_for(|answers| *answers).await.unwrap();
            let mut response = Response::new(Full::default());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

type Client = BoxCloneService<Request<Full<Bytes>>, Response<ResponseBody<Full<Bytes>>>, BoxError>;
type Call = Spawn<tower::util::Oneshot<Client, Request<Full<Bytes>>>>;

struct Setup {
    clock: ManualClock,
    source: Scripted,
    tokens: TokenCache,
    api: Api,
    client: Client,
}

impl Setup {
    fn new() -> Self {
        let (clock, source, api) = (ManualClock::new(), Scripted::expires_in(600), Api::new());
        let builder = TokenCache::builder(source.clone());
        let tokens = builder.clock(clock.clone()).build();
        let authorizer = Authorizer::builder(tokens.clone()).origin(API);
        let authorizer = authorizer.danger_trust_channel(true).build().unwrap();
        let client = BoxCloneService::new(AuthLayer::new(authorizer).layer(api.clone()));
        Self {
            clock,
            source,
            tokens,
            api,
            client,
        }
    }

    /// With a cached token.
    async fn warm() -> Self {
        let setup = Self::new();
        setup.tokens.token().await.unwrap();
        setup
    }

    fn hold(&self) {
        let _held = self.source.clone().hold();
    }

    fn call(&self, request: Request<Full<Bytes>>) -> Call {
        task::spawn(self.client.clone().oneshot(request))
    }
}

fn grpc(timeout: &'static str) -> Request<Full<Bytes>> {
    let request = Request::post(format!("{API}/grpc.health.v1.Health/Check"));
    request
        .header(CONTENT_TYPE, "application/grpc")
        .header("grpc-timeout", timeout)
        .body(Full::default())
        .unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Asserts that the call has ended with `DeadlineExceeded`, and returns the text.
fn exceeded(call: &mut Call) -> String {
    assert!(call.is_woken(), "the deadline wakes the task");
    let error = assert_ready!(call.poll()).unwrap_err();
    let status: &Status = error.downcast_ref().unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    let error: &auth_core::Error = status.source().unwrap().downcast_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(status.message().contains("grpc-timeout"), "{status:?}");
    status.message().to_owned()
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_a_token() {
    let setup = Setup::new();
    setup.hold();
    let mut call = setup.call(grpc("1S"));
    assert_pending!(call.poll());
    setup.clock.advance(millis(999));
    assert_pending!(call.poll());
    setup.clock.advance(millis(1));
    let text = exceeded(&mut call);
    assert!(text.contains("waited for a token"), "{text}");
    assert_eq!(setup.api.sent(), []);
    // the token request goes on
    setup.source.release();
    settle().await;
    assert!(setup.tokens.cached().is_some());
    assert_eq!(setup.source.requests(), 1);
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_readiness() {
    let setup = Setup::new();
    setup.hold();
    let mut call = setup.call(grpc("1S"));
    assert_pending!(call.poll());
    setup.api.is_ready.store(false, SeqCst);
    setup.clock.advance(millis(600));
    setup.source.release();
    settle().await;
    assert_pending!(call.poll());
    setup.clock.advance(millis(400));
    let text = exceeded(&mut call);
    assert!(text.contains("service was ready"), "{text}");
    assert_eq!(setup.api.sent(), []);
}

#[tokio::test]
async fn a_request_is_not_sent_if_the_deadline_passes_before_the_task_runs() {
    let setup = Setup::new();
    setup.hold();
    let mut call = setup.call(grpc("1S"));
    assert_pending!(call.poll());
    setup.source.release();
    settle().await;
    setup.clock.advance(secs(1));
    exceeded(&mut call);
    assert_eq!(setup.api.sent(), []);
}

#[tokio::test]
async fn a_request_that_waited_carries_what_is_left() {
    for (timeout, left) in [
        ("1S", "750000u"),
        ("2000m", "1750000u"),
        ("500000u", "250000u"),
        ("99999999n", ""), // shorter than the wait
        ("1M", "59750000u"),
        ("2M", "119750m"),
        ("1H", "3599750m"),
        ("99999999H", "99999998H"),
    ] {
        let setup = Setup::new();
        setup.hold();
        let mut call = setup.call(grpc(timeout));
        assert_pending!(call.poll());
        setup.clock.advance(millis(250));
        if left.is_empty() {
            exceeded(&mut call);
            continue;
        }
        setup.source.release();
        settle().await;
        assert_ready!(call.poll()).unwrap();
        assert_eq!(setup.api.sent(), [("Bearer t1".into(), left.into())]);
    }
}

#[tokio::test]
async fn a_request_that_found_its_token_keeps_its_timeout() {
    let setup = Setup::warm().await;
    let mut call = setup.call(grpc("1S"));
    assert_ready!(call.poll()).unwrap();
    assert_eq!(setup.api.sent(), [("Bearer t1".into(), "1S".into())]);
}

#[tokio::test]
async fn a_replay_carries_what_is_left() {
    for waits_for_token in [false, true] {
        let setup = Setup::new();
        if !waits_for_token {
            setup.tokens.token().await.unwrap();
        }
        setup.api.rejections.store(1, SeqCst);
        setup.api.answers.send_replace(false);
        let mut call = setup.call(grpc("1S"));
        assert_pending!(call.poll());
        settle().await;
        assert_pending!(call.poll(), "the request is in flight");
        assert_eq!(setup.api.sent().len(), 1);
        setup.clock.advance(millis(300));
        setup.hold();
        setup.api.answers.send_replace(true);
        assert_pending!(call.poll(), "the API rejected the token");
        setup.clock.advance(millis(300));
        setup.source.release();
        settle().await;
        assert_eq!(assert_ready!(call.poll()).unwrap().status(), StatusCode::OK);
        assert_eq!(setup.api.sent()[1], ("Bearer t2".into(), "400000u".into()));
    }
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_a_replacement() {
    let setup = Setup::warm().await;
    setup.api.rejections.store(1, SeqCst);
    setup.hold();
    let mut call = setup.call(grpc("1S"));
    assert_pending!(call.poll());
    setup.clock.advance(secs(1));
    let text = exceeded(&mut call);
    assert!(text.contains("another token"), "{text}");
    assert_eq!(setup.api.sent().len(), 1);
    setup.source.release();
    settle().await;
    assert_eq!(setup.tokens.token().await.unwrap().secret(), "t2");
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_readiness_before_a_replay() {
    let setup = Setup::warm().await;
    setup.api.rejections.store(1, SeqCst);
    setup.hold();
    let mut call = setup.call(grpc("1S"));
    assert_pending!(call.poll());
    setup.api.is_ready.store(false, SeqCst);
    setup.source.release();
    settle().await;
    assert_pending!(call.poll());
    setup.clock.advance(secs(1));
    let text = exceeded(&mut call);
    assert!(text.contains("service was ready"), "{text}");
    assert_eq!(setup.api.sent().len(), 1);
}

/// A timeout is 1 to 8 digits and a unit.
#[tokio::test]
async fn a_malformed_timeout_is_no_deadline() {
    for timeout in [
        "",
        "S",
        "1",
        "1s",
        "1 S",
        " 1S",
        "+1S",
        "-1S",
        "1.5S",
        "000000001S",
        "1SS",
        "1h",
    ] {
        let setup = Setup::new();
        setup.hold();
        let mut call = setup.call(grpc(timeout));
        assert_pending!(call.poll());
        setup.clock.advance(secs(5));
        assert_pending!(call.poll(), "{timeout:?}");
        setup.source.release();
        settle().await;
        assert_ready!(call.poll()).unwrap();
        assert_eq!(setup.api.sent()[0].1, timeout);
    }
}

#[tokio::test]
async fn a_request_other_than_grpc_has_no_deadline() {
    let mut plain = grpc("1S");
    let json = HeaderValue::from_static("application/json");
    plain.headers_mut().insert(CONTENT_TYPE, json);
    let mut get = grpc("1S");
    *get.method_mut() = Method::GET;
    get.headers_mut().remove(CONTENT_TYPE);
    for request in [plain, get] {
        let setup = Setup::new();
        setup.hold();
        let mut call = setup.call(request);
        assert_pending!(call.poll());
        setup.clock.advance(secs(2));
        setup.source.release();
        settle().await;
        assert_ready!(call.poll()).unwrap();
        assert_eq!(setup.api.sent(), [("Bearer t1".into(), "1S".into())]);
    }
}

/// A tenant's authorizer has its own cache. The deadline is measured by the clock of the outer one.
#[tokio::test]
async fn the_deadline_holds_for_tenants() {
    let (clock, source) = (ManualClock::new(), Scripted::expires_in(600).hold());
    let cache = TokenCache::builder(source.clone())
        .clock(clock.clone())
        .build();
    let authorizer = move |(): &()| {
        let builder = Authorizer::builder(cache.clone()).origin(API);
        builder.danger_trust_channel(true).build()
    };
    let tenants = Authorizer::per_tenant(|_: &auth_core::RequestHead<'_>| Some(()), authorizer);
    let authorizer = tenants.clock(clock.clone()).build().unwrap();
    let client = BoxCloneService::new(AuthLayer::new(authorizer).layer(Api::new()));
    let mut call = task::spawn(client.oneshot(grpc("1S")));
    assert_pending!(call.poll());
    clock.advance(secs(1));
    exceeded(&mut call);
}

/// `tonic::Request::set_timeout` sets the header.
#[tokio::test]
async fn a_call_of_tonic_ends_with_deadline_exceeded() {
    let deployment = Deployment::start().await;
    let (clock, source) = (ManualClock::new(), Scripted::expires_in(600).hold());
    let tokens = TokenCache::builder(source).clock(clock.clone()).build();
    let url = deployment.api.url();
    let authorizer = Authorizer::builder(tokens).origin(&url).build().unwrap();
    let endpoint = Endpoint::from_shared(url).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer).unwrap();
    let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.set_timeout(secs(1));
    let call = tokio::spawn(async move { health.check(request).await.unwrap_err() });
    settle().await;
    clock.advance(secs(1));
    let status = with_timeout(call).await.unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    let error: &auth_core::Error = status.source().unwrap().downcast_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(deployment.api.request_count(), 0);
}
