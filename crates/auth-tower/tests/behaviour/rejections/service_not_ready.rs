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
use auth_tower::{AuthLayer, ResponseBody};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt};

const API: &str = "https://api.example.com";

#[derive(Clone, Copy, Debug)]
enum Readiness {
    Ready,
    NeverReady,
    Failed,
}

/// A service that rejects every token, and whose readiness the test sets.
#[derive(Clone, Debug)]
struct Gate(Arc<Mutex<Readiness>>);

impl Service<Request<Full<Bytes>>> for Gate {
    type Response = Response<&'static str>;
    type Error = io::Error;
    type Future = Ready<io::Result<Response<&'static str>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self.0.lock().unwrap() {
            Readiness::Ready => Poll::Ready(Ok(())),
            Readiness::NeverReady => Poll::Pending,
            Readiness::Failed => Poll::Ready(Err(io::Error::other("broken"))),
        }
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let mut response = Response::new("the original");
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        ready(Ok(response))
    }
}

/// Sends a request that is rejected. `refresh` answers its token request, when the service has the given
/// `readiness`.
async fn rejected(
    refresh: Answer,
    readiness: Readiness,
) -> Result<Response<&'static str>, BoxError> {
    let source = Scripted::always(refresh).then(Answer::NoExpiresIn);
    let tokens = TokenCache::new(source.clone());
    tokens.token().await.unwrap();
    let _held = source.clone().hold();
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let gate = Gate(Arc::new(Mutex::new(Readiness::Ready)));
    let client = AuthLayer::new(authorizer.clone()).layer(gate.clone());
    let mut call = task::spawn(client.oneshot(get(API)));
    assert_pending!(call.poll());
    *gate.0.lock().unwrap() = readiness;
    source.release();
    // runs the task of the request, and the tasks that it wakes
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
    let outcome = assert_ready!(call.poll());
    outcome.map(|response| response.map(ResponseBody::into_inner))
}

/// The response has been dropped, because it may hold a permit that the service needs.
#[tokio::test]
async fn an_error_of_poll_ready_before_the_replay_is_returned_to_the_caller() {
    let error = rejected(Answer::NoExpiresIn, Readiness::Failed)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "broken");
}

/// Without a replay the layer need not wait for the service.
#[tokio::test]
async fn a_failed_refresh_does_not_wait_for_the_service_to_be_ready() {
    let failed = Answer::fails(ErrorKind::Unavailable);
    let response = rejected(failed, Readiness::NeverReady).await.unwrap();
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
    let gate = Gate(Arc::new(Mutex::new(Readiness::Ready)));
    let client = AuthLayer::new(authorizer.clone()).layer(gate.clone());
    let mut call = task::spawn(client.oneshot(get(API)));
    assert_pending!(call.poll());
    *gate.0.lock().unwrap() = Readiness::NeverReady;
    source.release();
    settle().await;
    assert_pending!(call.poll());
    assert_eq!(
        source.requests(),
        2,
        "there is a token, and the request waits for the service"
    );
    clock.advance(secs(600));
    *gate.0.lock().unwrap() = Readiness::Ready;
    let error = assert_ready!(call.poll()).unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("before the service was ready"),
        "{error}"
    );
}
