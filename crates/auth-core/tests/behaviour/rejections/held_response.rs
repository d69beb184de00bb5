//! A response that rejects the token of a request that is not replayed: the adapter holds it until another
//! token has arrived.

use auth_core::{
    adapter::{Attempt, Decision, Verdict},
    time::SystemClock,
};
use auth_test_support::{get, scripted::Scripted, settle};
use auth_testing::ManualClock;
use http::Response;
use tokio::runtime::Builder;
use tokio_test::{assert_pending, assert_ready, task};

use super::{
    exchange::{bare, invalid_token},
    test_client::{ORIGIN, TestClient},
};

const CAN_REPLAY: bool = true;

/// Returns the attempt of a request, whose token is cached.
fn attempt(client: &TestClient) -> Attempt {
    match client.authorizer.authorize(&get(ORIGIN)) {
        Decision::Authorize(attempt) => attempt,
        other => panic!("expected a cached token, got {other:?}"),
    }
}

fn classify(client: &TestClient, response: &Response<()>) -> Verdict {
    attempt(client).classify(response, !CAN_REPLAY)
}

#[tokio::test]
async fn the_hold_ends_with_the_token_request() {
    for response in [bare(401), invalid_token(401)] {
        let source = Scripted::expires_in(600);
        let client = TestClient::new(source.clone(), ManualClock::new());
        client.tokens().token().await.unwrap();
        let held = source.clone().hold();
        let Verdict::DeliverAfter(hold) = classify(&client, &response) else {
            panic!("expected Verdict::DeliverAfter");
        };
        let mut until_replaced = task::spawn(hold.until_replaced(None));
        assert_pending!(until_replaced.poll());
        settle().await;
        assert_pending!(until_replaced.poll());
        held.release();
        settle().await;
        assert_ready!(until_replaced.poll());
        assert_eq!(source.requests(), 2);
    }
}

#[tokio::test]
async fn the_hold_ends_after_a_second_or_half_of_the_deadline() {
    for (deadline, lasts) in [(None, 1_000), (Some(10_000), 1_000), (Some(400), 200)] {
        let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
        let client = TestClient::new(source.clone(), clock.clone());
        client.tokens().token().await.unwrap();
        let _held = source.hold();
        let Verdict::DeliverAfter(hold) = classify(&client, &bare(401)) else {
            panic!("expected Verdict::DeliverAfter");
        };
        let millis = std::time::Duration::from_millis;
        let deadline = deadline.map(|timeout| client.authorizer.deadline(millis(timeout)));
        let mut until_replaced = task::spawn(hold.until_replaced(deadline.as_ref()));
        assert_pending!(until_replaced.poll());
        clock.advance(millis(lasts - 1));
        assert_pending!(until_replaced.poll());
        clock.advance(millis(1));
        assert_ready!(until_replaced.poll());
    }
}

#[tokio::test]
async fn the_response_to_a_replay_is_held_as_well() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.tokens().token().await.unwrap();
    let Verdict::Renew(renewal) = attempt(&client).classify(&bare(401), CAN_REPLAY) else {
        panic!("expected Verdict::Renew");
    };
    let replay = renewal.await.attempt().expect("another token");
    // a bare rejection would find the replacement on probation
    let verdict = replay.classify(&invalid_token(401), !CAN_REPLAY);
    assert!(matches!(verdict, Verdict::DeliverAfter(_)), "{verdict:?}");
}

#[tokio::test]
async fn without_a_replacement_in_flight_the_response_is_delivered_at_once() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.tokens().token().await.unwrap();
    let late = attempt(&client);
    let _ = classify(&client, &bare(401));
    settle().await;
    // the token has been replaced
    let verdict = late.classify(&bare(401), !CAN_REPLAY);
    assert!(matches!(verdict, Verdict::Deliver), "{verdict:?}");
    // the replacement is on probation
    let verdict = classify(&client, &bare(401));
    assert!(matches!(verdict, Verdict::Deliver), "{verdict:?}");
    assert_eq!(source.requests(), 2);
}

/// A wait needs a timer, which only a runtime has.
#[test]
fn outside_of_a_runtime_the_response_is_delivered_at_once() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), SystemClock);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.tokens().token()).unwrap();
    let _held = source.hold();
    let first = runtime.block_on(async { classify(&client, &bare(401)) });
    let Verdict::DeliverAfter(hold) = first else {
        panic!("expected Verdict::DeliverAfter");
    };
    assert_ready!(task::spawn(hold.until_replaced(None)).poll());
}
