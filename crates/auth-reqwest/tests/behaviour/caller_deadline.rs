//! `reqwest::Request::timeout`: the caller's deadline bounds everything that the middleware does.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{Authorizer, ErrorKind, TokenCache, async_trait};
use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    reqwest_clients::reqwest_client, scripted::Scripted, secs, settle, with_timeout,
};
use auth_testing::ManualClock;
use http::{Extensions, StatusCode};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};
use tokio::task::JoinHandle;

const API: &str = "https://api.example.com";

/// An API that rejects as many tokens as `rejections` says, each after the clock has moved by `latency`.
/// It records the timeout of each request.
#[derive(Clone)]
struct Api {
    clock: ManualClock,
    latency: Duration,
    rejections: Arc<Mutex<usize>>,
    timeouts: Arc<Mutex<Vec<Option<Duration>>>>,
}

#[async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> Result<Response, Error> {
        self.timeouts
            .lock()
            .unwrap()
            .push(request.timeout().copied());
        self.clock.advance(self.latency);
        let mut rejections = self.rejections.lock().unwrap();
        let status = match rejections.checked_sub(1) {
            Some(left) => {
                *rejections = left;
                StatusCode::UNAUTHORIZED
            }
            None => StatusCode::OK,
        };
        let response = http::Response::builder().url(request.url().clone());
        Ok(response.status(status).body("").unwrap().into())
    }
}

struct Setup {
    clock: ManualClock,
    source: Scripted,
    tokens: TokenCache,
    api: Api,
    client: ClientWithMiddleware,
}

impl Setup {
    fn new(latency: Duration, rejections: usize) -> Self {
        let (clock, source) = (ManualClock::new(), Scripted::expires_in(600));
        let tokens = TokenCache::builder(source.clone());
        let tokens = tokens.clock(clock.clone()).build();
        let authorizer = Authorizer::builder(tokens.clone()).origin(API).build();
        let api = Api {
            clock: clock.clone(),
            latency,
            rejections: Arc::new(Mutex::new(rejections)),
            timeouts: Arc::default(),
        };
        let client = ClientBuilder::new(reqwest_client())
            .with(AuthMiddleware::new(authorizer.unwrap()))
            .with(api.clone())
            .build();
        Self {
            clock,
            source,
            tokens,
            api,
            client,
        }
    }

    fn hold(&self) {
        let _held = self.source.clone().hold();
    }

    fn timeouts(&self) -> Vec<Option<Duration>> {
        self.api.timeouts.lock().unwrap().clone()
    }

    /// Sends a request, and returns once it waits or has ended.
    async fn call(&self, timeout: Option<Duration>) -> JoinHandle<Result<Response, Error>> {
        let mut request = self.client.get(API);
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let call = tokio::spawn(request.send());
        settle().await;
        call
    }
}

async fn outcome(call: JoinHandle<Result<Response, Error>>) -> Result<Response, Error> {
    settle().await;
    assert!(call.is_finished(), "the call still waits");
    with_timeout(call).await.unwrap()
}

/// Asserts that the caller's deadline has ended the call, and returns the text.
async fn exceeded(call: JoinHandle<Result<Response, Error>>) -> String {
    let error = outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::Middleware(_)), "{error:?}");
    let error = auth_core::Error::find(&error).unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(text.contains("reqwest::Request::timeout"), "{text}");
    text
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_a_token() {
    let setup = Setup::new(Duration::ZERO, 0);
    setup.hold();
    let call = setup.call(Some(secs(1))).await;
    setup.clock.advance(Duration::from_millis(999));
    settle().await;
    assert!(!call.is_finished());
    setup.clock.advance(Duration::from_millis(1));
    let text = exceeded(call).await;
    assert!(text.contains("waited for a token"), "{text}");
    assert_eq!(setup.timeouts(), []);
    // the token request goes on
    setup.source.release();
    settle().await;
    assert!(setup.tokens.cached().is_some());
}

#[tokio::test]
async fn a_request_that_waited_has_what_is_left() {
    let setup = Setup::new(Duration::ZERO, 0);
    setup.hold();
    let call = setup.call(Some(secs(2))).await;
    setup.clock.advance(Duration::from_millis(1500));
    setup.source.release();
    assert_eq!(outcome(call).await.unwrap().status(), StatusCode::OK);
    assert_eq!(setup.timeouts(), [Some(Duration::from_millis(500))]);
}

#[tokio::test]
async fn a_request_is_not_sent_if_the_deadline_passes_before_the_task_runs() {
    let setup = Setup::new(Duration::ZERO, 0);
    setup.hold();
    let call = setup.call(Some(secs(2))).await;
    setup.source.release();
    setup.clock.advance(secs(2));
    exceeded(call).await;
    assert_eq!(setup.timeouts(), []);
}

#[tokio::test]
async fn the_deadline_bounds_the_wait_for_a_replacement() {
    let setup = Setup::new(secs(1), 1);
    setup.tokens.token().await.unwrap();
    setup.hold();
    let call = setup.call(Some(secs(3))).await;
    setup.clock.advance(secs(2));
    let text = exceeded(call).await;
    assert!(text.contains("another token"), "{text}");
    assert_eq!(setup.timeouts(), [Some(secs(3))]);
}

#[tokio::test]
async fn a_replay_has_what_is_left() {
    for waits_for_token in [false, true] {
        let setup = Setup::new(secs(1), 1);
        if !waits_for_token {
            setup.tokens.token().await.unwrap();
        }
        let call = setup.call(Some(secs(3))).await;
        assert_eq!(outcome(call).await.unwrap().status(), StatusCode::OK);
        assert_eq!(setup.timeouts(), [Some(secs(3)), Some(secs(2))]);
    }
}

#[tokio::test]
async fn a_request_that_found_its_token_keeps_its_timeout() {
    let setup = Setup::new(Duration::ZERO, 0);
    setup.tokens.token().await.unwrap();
    let call = setup.call(Some(secs(3))).await;
    outcome(call).await.unwrap();
    assert_eq!(setup.timeouts(), [Some(secs(3))]);
}

#[tokio::test]
async fn a_request_without_a_timeout_gets_none() {
    let setup = Setup::new(secs(1), 1);
    setup.hold();
    let call = setup.call(None).await;
    setup.clock.advance(secs(5));
    setup.source.release();
    outcome(call).await.unwrap();
    assert_eq!(setup.timeouts(), [None, None]);
}

/// By the system's clock, whose instants end earlier than durations.
#[tokio::test]
async fn the_longest_timeouts_are_deadlines_far_away() {
    for timeout in [
        Duration::MAX,
        Duration::from_secs(u64::MAX / 2),
        secs(1 << 40),
    ] {
        let source = Scripted::expires_in(600).hold();
        let tokens = TokenCache::builder(source.clone()).build();
        let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
        let api = Setup::new(Duration::ZERO, 1).api;
        let client = ClientBuilder::new(reqwest_client())
            .with(AuthMiddleware::new(authorizer))
            .with(api.clone())
            .build();
        let call = tokio::spawn(client.get(API).timeout(timeout).send());
        settle().await;
        assert!(!call.is_finished());
        source.release();
        let response = with_timeout(call).await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{timeout:?}");
        assert_eq!(api.timeouts.lock().unwrap().len(), 2);
    }
}
