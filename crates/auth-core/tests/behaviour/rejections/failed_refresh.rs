//! If no other token is obtained, the caller receives the response of the API.

use auth_core::ErrorKind;
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs,
};
use auth_testing::{ManualClock, TokioClock};
use http::StatusCode;
use tokio::time::Instant;
use tokio_test::{assert_pending, task};

use super::test_client::TestClient;

#[tokio::test]
async fn after_a_failed_refresh_a_rejection_is_delivered_at_once_without_a_token_request() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::fails(ErrorKind::Unavailable));
    let clock = ManualClock::new();
    let client = TestClient::new(source.clone(), clock.clone());
    client.api.revoke("t1");
    for _ in 0..3 {
        let (status, body) = client.fetch("/").await;
        assert_eq!(
            (status, &body[..]),
            (StatusCode::UNAUTHORIZED, &b"not t1"[..])
        );
    }
    assert_eq!(source.requests(), 2);
    clock.advance(secs(2));
    assert_eq!(client.get("/").await, StatusCode::OK, "after the backoff");
    assert_eq!(source.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_hangs_delivers_the_original_response_after_the_attempt_timeout() {
    let source = Scripted::always(Answer::Hangs);
    let source = source.then(Answer::ExpiresIn(secs(600)));
    let client = TestClient::new(source.clone(), TokioClock::new());
    client.tokens().token().await.unwrap();
    let start = Instant::now();
    let (status, body) = client.fetch("/bad").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, "not t1");
    let took = start.elapsed();
    assert!(secs(10) <= took && took < secs(11), "{took:?}");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn the_rejected_token_serves_other_requests_until_its_replacement_is_stored() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.tokens().token().await.unwrap();
    let _held = source.clone().hold();
    let mut rejected = task::spawn(client.fetch("/bad"));
    assert_pending!(rejected.poll());
    assert_eq!(client.get("/good").await, StatusCode::OK);
    assert_eq!(client.api.shown(), ["t1", "t1"]);
    source.release();
    assert_eq!(rejected.await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(client.get("/good").await, StatusCode::OK);
    assert_eq!(client.api.shown()[2..], ["t2", "t2"]);
}

/// Its lifetime is shorter than that of the current token, but the current token was rejected.
#[tokio::test]
async fn a_replacement_that_arrives_expired_is_sent() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::ExpiresIn(secs(0)));
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.api.revoke("t1");
    assert_eq!(client.get("/").await, StatusCode::OK);
    assert_eq!(client.api.shown(), ["t1", "t2"]);
}

/// The refresh is in flight because the token is stale. Then the API rejects the token.
#[tokio::test]
async fn a_background_refresh_that_a_rejection_joins_may_bring_an_expired_token() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::ExpiresIn(secs(0)));
    let clock = ManualClock::new();
    let client = TestClient::new(source.clone(), clock.clone());
    client.tokens().token().await.unwrap();
    clock.advance(secs(500));
    let _held = source.clone().hold();
    client.api.revoke("t1");
    let mut rejected = task::spawn(client.fetch("/"));
    assert_pending!(rejected.poll());
    source.release();
    assert_eq!(rejected.await.0, StatusCode::OK);
    assert_eq!(client.api.shown(), ["t1", "t2"]);
    assert_eq!(source.requests(), 2);
}
