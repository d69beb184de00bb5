//! Attempts and verdicts: how long a replay waits, and which token it carries.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use auth_core::{
    Error, TokenRequest, TokenResponse, TokenSource,
    adapter::{Attempt, Decision, Verdict},
    async_trait,
    time::SystemClock,
};
use auth_test_support::{get, scripted::Scripted, secs, settle};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::AUTHORIZATION};
use tokio::runtime::Builder;
use tokio_test::{assert_ready, task};

use super::test_client::{ORIGIN, TestClient};

/// Issues two tokens alternately, like a server with two nodes that each keep their own token.
#[derive(Debug, Default)]
struct TwoNodes(AtomicUsize);

#[async_trait]
impl TokenSource for TwoNodes {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let node = self.0.fetch_add(1, SeqCst) % 2;
        Ok(TokenResponse::bearer(format!("of-node-{node}"))?.with_expires_in(secs(600)))
    }
}

/// Returns the first attempt of a request, whose token is cached.
fn attempt(client: &TestClient) -> Attempt {
    match client.authorizer.authorize(&get(ORIGIN)) {
        Decision::Authorize(attempt) => attempt,
        other => panic!("expected a cached token, got {other:?}"),
    }
}

/// Returns the verdict on a response with this status.
fn answered(attempt: Attempt, status: StatusCode) -> Verdict {
    let mut response = Response::new(());
    *response.status_mut() = status;
    attempt.classify(&response, true)
}

/// Returns the replay after a rejection of the first attempt.
async fn replay(attempt: Attempt) -> Option<Attempt> {
    match answered(attempt, StatusCode::UNAUTHORIZED) {
        Verdict::Renew(renewal) => renewal.await.attempt(),
        Verdict::Deliver | Verdict::DeliverAfter(_) | Verdict::DeliverAndWatch(_) => {
            panic!("expected Verdict::Renew")
        }
    }
}

fn shown(attempt: &Attempt) -> HeaderValue {
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    headers[AUTHORIZATION].clone()
}

/// A wait needs a timer, which only a runtime has. The token is refreshed nevertheless.
#[test]
fn outside_of_a_runtime_a_rejection_does_not_wait_for_the_request_in_flight() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), SystemClock);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.tokens().token()).unwrap();
    let _held = source.clone().hold();
    let [inside, outside] = [attempt(&client), attempt(&client)];
    runtime.block_on(async {
        let _ = answered(inside, StatusCode::UNAUTHORIZED);
        settle().await;
    });
    assert_eq!(source.in_flight(), 1);
    let Verdict::Renew(renewal) = answered(outside, StatusCode::UNAUTHORIZED) else {
        panic!("expected Verdict::Renew");
    };
    let renewal = assert_ready!(task::spawn(renewal).poll());
    assert!(
        renewal.attempt().is_none(),
        "the current token is the rejected one"
    );
    source.release();
    runtime.block_on(settle());
    assert_eq!(shown(&attempt(&client)), "Bearer t2");
    assert_eq!(source.requests(), 2);
}

/// The current token has another generation than the rejected one, and the same value.
#[tokio::test]
async fn a_rejected_value_is_not_replayed_although_there_was_another_token_in_between() {
    let client = TestClient::new(TwoNodes::default(), SystemClock);
    client.tokens().token().await.unwrap();
    let [first, late] = [attempt(&client), attempt(&client)];
    assert_eq!(shown(&late), "Bearer of-node-0");
    let accepted = replay(first).await.unwrap();
    assert_eq!(shown(&accepted), "Bearer of-node-1");
    let _ = answered(accepted, StatusCode::OK);
    let back = replay(attempt(&client)).await.unwrap();
    assert_eq!(shown(&back), "Bearer of-node-0");
    assert!(replay(late).await.is_none());
}
