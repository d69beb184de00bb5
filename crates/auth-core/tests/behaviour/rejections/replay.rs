//! What a replay waits for, and which token it carries: attempts and verdicts without an adapter.

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

/// Hands out two tokens by turns: two nodes of a server, each of which keeps its own.
#[derive(Debug, Default)]
struct TwoNodes(AtomicUsize);

#[async_trait]
impl TokenSource for TwoNodes {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let node = self.0.fetch_add(1, SeqCst) % 2;
        Ok(TokenResponse::bearer(format!("of-node-{node}"))?.with_expires_in(secs(600)))
    }
}

/// A first sending. The token is there.
fn attempt(client: &TestClient) -> Attempt {
    match client.authorizer.authorize(&get(ORIGIN)) {
        Decision::Authorize(attempt) => attempt,
        other => panic!("expected a token at once, got {other:?}"),
    }
}

/// What the attempt comes to if the API answers so.
fn answered(attempt: Attempt, status: StatusCode) -> Verdict {
    let mut response = Response::new(());
    *response.status_mut() = status;
    attempt.classify(&response, true)
}

/// The replay after a rejection of the first attempt.
async fn second(attempt: Attempt) -> Option<Attempt> {
    match answered(attempt, StatusCode::UNAUTHORIZED) {
        Verdict::Renew(renewal) => renewal.await.attempt(),
        Verdict::Deliver => panic!("expected a renewal"),
    }
}

fn shown(attempt: &Attempt) -> HeaderValue {
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    headers[AUTHORIZATION].clone()
}

/// Waiting takes a timer, and there is none. The token is refreshed all the same.
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
        panic!("expected a renewal");
    };
    let renewal = assert_ready!(task::spawn(renewal).poll());
    assert!(renewal.attempt().is_none(), "the token is the rejected one");
    source.release();
    runtime.block_on(settle());
    assert_eq!(shown(&attempt(&client)), "Bearer t2");
    assert_eq!(source.requests(), 2);
}

/// By its number the token that came back is another one, by its value it is not.
#[tokio::test]
async fn a_rejected_value_is_not_replayed_although_another_token_came_in_between() {
    let client = TestClient::new(TwoNodes::default(), SystemClock);
    client.tokens().token().await.unwrap();
    let [first, late] = [attempt(&client), attempt(&client)];
    assert_eq!(shown(&late), "Bearer of-node-0");
    let accepted = second(first).await.unwrap();
    assert_eq!(shown(&accepted), "Bearer of-node-1");
    let _ = answered(accepted, StatusCode::OK);
    let back = second(attempt(&client)).await.unwrap();
    assert_eq!(shown(&back), "Bearer of-node-0");
    assert!(second(late).await.is_none());
}
