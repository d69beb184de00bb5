//! A service that is not ready for a replay.

use std::{
    future::{Ready, ready},
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use auth_core::{Authorizer, BoxError, Error, ErrorKind, TokenCache};
use auth_test_support::{
    get,
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::ManualClock;
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt};

const API: &str = "https://api.example.com";

#[derive(Clone, Copy, Debug)]
enum Mood {
    Ready,
    NeverReady,
    Broken,
}

/// Refuses every token, and becomes ready as told.
#[derive(Clone, Debug)]
struct Gate(Arc<Mutex<Mood>>);

impl Service<Request<Full<Bytes>>> for Gate {
    type Response = Response<&'static str>;
    type Error = io::Error;
    type Future = Ready<io::Result<Response<&'static str>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self.0.lock().unwrap() {
            Mood::Ready => Poll::Ready(Ok(())),
            Mood::NeverReady => Poll::Pending,
            Mood::Broken => Poll::Ready(Err(io::Error::other("broken"))),
        }
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let mut response = Response::new("the original");
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        ready(Ok(response))
    }
}

/// A request is rejected; its refresh ends in `renewal` while the service is in `mood`.
async fn rejected(renewal: Answer, mood: Mood) -> Result<Response<&'static str>, BoxError> {
    let source = Scripted::always(renewal).then(Answer::NoExpiresIn);
    let tokens = TokenCache::new(source.clone());
    tokens.token().await.unwrap();
    let _held = source.clone().hold();
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let gate = Gate(Arc::new(Mutex::new(Mood::Ready)));
    let client = AuthLayer::new(authorizer.clone()).layer(gate.clone());
    let mut call = task::spawn(client.oneshot(get(API)));
    assert_pending!(call.poll());
    *gate.0.lock().unwrap() = mood;
    source.release();
    // the request's task, and the tasks that it wakes
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
    assert_ready!(call.poll())
}

/// The response has gone by then: it could hold what the service waits for.
#[tokio::test]
async fn an_error_of_poll_ready_before_the_replay_is_returned_to_the_caller() {
    let error = rejected(Answer::NoExpiresIn, Mood::Broken)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "broken");
}

/// There is nothing to send, and so nothing to be ready for.
#[tokio::test]
async fn a_failed_refresh_does_not_wait_for_the_service_to_be_ready() {
    let failed = Answer::fails(ErrorKind::Unavailable);
    let response = rejected(failed, Mood::NeverReady).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.into_body(), "the original");
}

/// An expired token is never sent, and the response that rejected the first one has been dropped.
#[tokio::test]
async fn a_service_that_is_ready_after_the_new_token_has_expired_gets_no_request() {
    let (clock, source) = (ManualClock::new(), Scripted::expires_in(600));
    let builder = TokenCache::builder(source.clone());
    let tokens = builder.clock(clock.clone()).build();
    tokens.token().await.unwrap();
    let _held = source.clone().hold();
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let gate = Gate(Arc::new(Mutex::new(Mood::Ready)));
    let client = AuthLayer::new(authorizer.clone()).layer(gate.clone());
    let mut call = task::spawn(client.oneshot(get(API)));
    assert_pending!(call.poll());
    *gate.0.lock().unwrap() = Mood::NeverReady;
    source.release();
    settle().await;
    assert_pending!(call.poll());
    assert_eq!(
        source.requests(),
        2,
        "the token is there, and waits for the service"
    );
    clock.advance(secs(600));
    *gate.0.lock().unwrap() = Mood::Ready;
    let error = assert_ready!(call.poll()).unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("before the service was ready"),
        "{error}"
    );
}
