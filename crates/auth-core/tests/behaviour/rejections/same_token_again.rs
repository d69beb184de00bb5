//! The token endpoint returns the revoked token once more, because it caches its responses. It is asked
//! again soon, at growing intervals, within the rejection budget.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use async_trait::async_trait;
use auth_core::{Error, TokenRequest, TokenResponse, TokenSource};
use auth_test_support::secs;
use auth_testing::ManualClock;
use http::StatusCode;

use super::{
    revocation_simulation::{Rejects, Report, Simulation},
    test_client::TestClient,
};

const REVOKED_AT: Duration = Duration::from_secs(20);

async fn returned(again: usize, rejects: Rejects) -> (Duration, Report) {
    let report = Simulation {
        rejects,
        revoked_at: Some(REVOKED_AT),
        again,
        requests: Duration::ZERO..secs(200),
        ..Simulation::default()
    }
    .run()
    .await;
    let lasted = report.last_failure.unwrap_or(REVOKED_AT) - REVOKED_AT;
    eprintln!(
        "{rejects:?}, returned {again} times: {lasted:?}, token requests at {:?}",
        report.token_requests
    );
    (lasted, report)
}

#[tokio::test(start_paused = true)]
async fn once_is_replaced_after_a_second() {
    for rejects in Rejects::BOTH {
        let (lasted, _) = returned(1, rejects).await;
        assert!(
            lasted < Duration::from_millis(1400),
            "{lasted:?}, {rejects:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn three_times_is_replaced_after_three_growing_intervals() {
    for rejects in Rejects::BOTH {
        let (lasted, report) = returned(3, rejects).await;
        assert!(
            lasted < Duration::from_millis(8800),
            "{lasted:?}, {rejects:?}"
        );
        let at = &report.token_requests[1..];
        for (asked, about) in at.windows(2).zip([1.0, 2.0, 4.0]) {
            let interval = (asked[1] - asked[0]).as_secs_f64();
            assert!(
                (0.8 * about..1.2 * about + 0.2).contains(&interval),
                "{at:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn for_ever_costs_no_more_than_the_budget() {
    for rejects in Rejects::BOTH {
        let (_, report) = returned(usize::MAX, rejects).await;
        let first = report.token_requests_in(REVOKED_AT..REVOKED_AT + secs(29));
        assert_eq!(first, 4, "{:?}", report.token_requests);
        for minute in [50, 110] {
            let requests = report.token_requests_in(secs(minute)..secs(minute + 60));
            assert!(requests <= 2, "{:?}", report.token_requests);
        }
    }
}

/// Issues these tokens one after another.
#[derive(Debug)]
struct Listed(Mutex<VecDeque<&'static str>>);

#[async_trait]
impl TokenSource for Listed {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let token = self.0.lock().unwrap().pop_front();
        TokenResponse::bearer(token.expect("another token request"))
    }
}

/// Another node of the token endpoint still has the token before.
#[tokio::test]
async fn that_was_replaced_before_is_replaced_after_a_second() {
    let listed = Listed(Mutex::new(["t1", "t2", "t1", "t3"].into()));
    let clock = ManualClock::new();
    let client = TestClient::new(listed, clock.clone());
    assert_eq!(client.get("/").await, StatusCode::OK);
    client.api.revoke("t1");
    assert_eq!(client.get("/").await, StatusCode::OK);
    client.api.revoke("t2");
    assert_eq!(client.get("/").await, StatusCode::UNAUTHORIZED);
    clock.advance(Duration::from_millis(700));
    assert_eq!(client.get("/").await, StatusCode::UNAUTHORIZED);
    clock.advance(Duration::from_millis(600));
    assert_eq!(client.get("/").await, StatusCode::OK);
    assert_eq!(client.api.shown().last().unwrap(), "t3");
}
