//! The rejection budget: an API that rejects every token causes few token requests.

use async_trait::async_trait;
use auth_core::{Error, TokenRequest, TokenResponse, TokenSource};
use auth_test_support::{GatedSource, scripted::Scripted, secs};
use auth_testing::ManualClock;
use http::StatusCode;
use tokio_test::{assert_pending, task};

use super::test_client::TestClient;

const DAY: u64 = 86_400;

/// Reported elsewhere: gravitino#12531.
#[tokio::test]
async fn an_api_that_rejects_every_token_costs_one_token_request_and_then_one_in_30_s() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    let rejected = async |times| {
        for _ in 0..times {
            assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
        }
    };
    rejected(50).await;
    assert_eq!(source.requests(), 2);
    for round in 1..=20 {
        clock.advance(secs(29));
        rejected(10).await;
        assert_eq!(source.requests(), 1 + round, "29 s after the last");
        clock.advance(secs(1));
        rejected(10).await;
        assert_eq!(source.requests(), 2 + round);
    }
}

/// The good endpoints accept each new token, which ends its probation.
#[tokio::test]
async fn one_bad_endpoint_beside_good_ones_costs_a_few_token_requests_a_minute() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    client.tokens().token().await.unwrap();
    let mut each_minute = Vec::new();
    for _ in 0..5 {
        let before = source.requests();
        for _ in 0..60 {
            assert_eq!(client.get("/good").await, StatusCode::OK);
            assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
            clock.advance(secs(1));
        }
        each_minute.push(source.requests() - before);
    }
    assert_eq!(each_minute, [4, 2, 2, 2, 2]);
}

/// Another library, cf-gears, refreshed at most once in 15 minutes.
#[tokio::test]
async fn three_revocations_in_a_row_are_each_replaced_at_once() {
    let source = Scripted::expires_in(DAY);
    let client = TestClient::new(source.clone(), ManualClock::new());
    assert_eq!(client.get("/").await, StatusCode::OK);
    for token in ["t1", "t2", "t3"] {
        client.api.revoke(token);
        assert_eq!(client.get("/").await, StatusCode::OK);
    }
    assert_eq!(source.requests(), 4);
    assert_eq!(
        client.api.shown(),
        ["t1", "t1", "t2", "t2", "t3", "t3", "t4"]
    );
}

#[tokio::test]
async fn a_rejection_of_an_unaccepted_replacement_is_delivered_for_30_s() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    client.api.revoke("t1");
    client.api.revoke("t2");
    assert_eq!(client.get("/").await, StatusCode::UNAUTHORIZED);
    clock.advance(secs(29));
    assert_eq!(client.get("/").await, StatusCode::UNAUTHORIZED);
    assert_eq!(source.requests(), 2, "t2 is on probation");
    clock.advance(secs(1));
    assert_eq!(client.get("/").await, StatusCode::OK);
    client.api.revoke("t3");
    assert_eq!(client.get("/").await, StatusCode::OK);
    assert_eq!(source.requests(), 4, "t3 was accepted");
}

/// The rejection budget is for tokens that have not expired.
#[tokio::test]
async fn a_rejected_token_that_expired_meanwhile_is_replaced_although_the_budget_is_used_up() {
    let (source, clock) = (Scripted::expires_in(20), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    for _ in 0..6 {
        assert_eq!(client.get("/good").await, StatusCode::OK);
        assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(source.requests(), 4, "the last of the budget is kept");
    let mut slow = task::spawn(client.fetch("/slow"));
    assert_pending!(slow.poll());
    client.api.revoke("t4");
    clock.advance(secs(20));
    client.api.release();
    assert_eq!(slow.await.0, StatusCode::OK);
    assert_eq!(client.api.shown().last().unwrap(), "t5");
}

/// A replacement is sent to `path` and then rejected. Returns whether the rejection causes a token request.
async fn ends_the_probation(path: &str) -> bool {
    let source = Scripted::expires_in(DAY);
    let client = TestClient::new(source.clone(), ManualClock::new());
    assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
    assert_eq!(source.requests(), 2);
    client.get(path).await;
    assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
    source.requests() == 3
}

#[tokio::test]
async fn a_403_counts_as_acceptance_and_a_503_does_not() {
    assert!(ends_the_probation("/").await);
    assert!(ends_the_probation("/forbidden").await);
    assert!(!ends_the_probation("/busy").await);
    assert!(!ends_the_probation("/bad").await);
}

/// Reported elsewhere: ktor#2864.
#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    let client = TestClient::new(GatedSource::open(), ManualClock::new());
    let (status, body) = client.fetch("/bad").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, "not token-2", "the response to the replay");
    assert_eq!(client.api.shown(), ["token-1", "token-2"]);
    assert_eq!(client.tokens().status().replays, 1);
}

/// Issues the same token for every request.
#[derive(Debug)]
struct Reissuing;

#[async_trait]
impl TokenSource for Reissuing {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        TokenResponse::bearer("the-same")
    }
}

/// Reported elsewhere: tower-mcp#1374.
#[tokio::test]
async fn a_rejected_token_is_not_replayed_with_the_same_request() {
    let client = TestClient::new(Reissuing, ManualClock::new());
    for sent in [&["the-same"; 1][..], &["the-same"; 2]] {
        assert_eq!(client.get("/bad").await, StatusCode::UNAUTHORIZED);
        assert_eq!(client.api.shown(), sent);
    }
    let status = client.tokens().status();
    assert_eq!(
        (status.replays, status.tokens_received),
        (0, 2),
        "the token was received twice"
    );
    assert_eq!(
        status.token_requests, 2,
        "at the second rejection the token was on probation"
    );
}
