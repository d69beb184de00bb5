//! The API revokes a token together with its replacement, which was requested just before.

use std::time::Duration;

use auth_test_support::{get, scripted::Scripted, secs};
use auth_testing::ManualClock;
use http::StatusCode;
use tokio_test::{assert_pending, task};

use super::{
    exchange::{bare, exchange},
    revocation_simulation::{DAY, Rejects, Simulation},
    test_client::{ORIGIN, TestClient},
};

fn number(token: &str) -> usize {
    token.trim_start_matches('t').parse().unwrap()
}

/// An endpoint that rejects every token has caused the token request.
#[tokio::test]
async fn while_it_was_requested_is_replaced_by_the_next_request() {
    for broken in Rejects::BOTH {
        for good in Rejects::BOTH {
            let source = Scripted::expires_in(DAY);
            let client = TestClient::new(source.clone(), ManualClock::new());
            let request = get(ORIGIN);
            exchange(&client.authorizer, &request, async |_| bare(200)).await;
            let held = source.clone().hold();
            let of_broken = exchange(&client.authorizer, &request, async |_| broken.response());
            let mut of_broken = task::spawn(of_broken);
            assert_pending!(of_broken.poll());
            let revoked = async |token: String| match number(&token) {
                1 | 2 => good.response(),
                _ => bare(200),
            };
            let mut of_good = task::spawn(exchange(&client.authorizer, &request, revoked));
            assert_pending!(of_good.poll());
            held.release();
            assert_eq!(of_good.await.status(), 401, "t2 is revoked too");
            of_broken.await;
            let next = exchange(&client.authorizer, &request, revoked).await;
            assert_eq!(next.status(), 200, "{good:?} beside {broken:?}");
        }
    }
}

/// The same among a hundred requests a second, with the budgets: some token requests of the broken
/// endpoint begin a second or 30 s before the revocation.
#[tokio::test(start_paused = true)]
async fn stays_in_use_for_two_seconds_at_most() {
    use Rejects::{Barely, Explicitly};

    for (rejects, broken) in [
        (Explicitly, Explicitly),
        (Barely, Barely),
        (Barely, Explicitly),
    ] {
        let simulation = Simulation {
            rejects,
            broken: Some(broken),
            requests: Duration::ZERO..secs(65),
            apart: Duration::from_millis(20),
            ..Simulation::default()
        };
        let undisturbed = simulation.run().await.token_requests;
        for requested_at in [undisturbed[1], undisturbed[4]] {
            // during the token request, and before an API accepts the token
            for after in [25, 52].map(Duration::from_millis) {
                let revoked_at = requested_at + after;
                let report = Simulation {
                    revoked_at: Some(revoked_at),
                    ..simulation.clone()
                };
                let report = report.run().await;
                let lasted = report.last_failure.unwrap_or(revoked_at) - revoked_at;
                assert!(
                    lasted < Duration::from_millis(2200),
                    "{rejects:?} beside {broken:?}, revoked {after:?} after the token request at \
                     {requested_at:?}: {lasted:?}, {:?}",
                    report.token_requests
                );
            }
        }
    }
}

/// No API has accepted the replacement yet, but the API had accepted the token before.
#[tokio::test]
async fn costs_one_failed_request() {
    for rejects in Rejects::BOTH {
        let source = Scripted::expires_in(DAY);
        let client = TestClient::new(source.clone(), ManualClock::new());
        exchange(&client.authorizer, &get(ORIGIN), async |_| bare(200)).await;
        let revoked = async |token: String| match number(&token) {
            1 | 2 => rejects.response(),
            _ => bare(200),
        };
        for status in [401, 200] {
            let response = exchange(&client.authorizer, &get(ORIGIN), revoked).await;
            assert_eq!(response.status(), status, "{rejects:?}");
        }
        assert_eq!(source.requests(), 3);
    }
}

/// A late rejection of an expired token has caused the token request, as a read would have.
#[tokio::test]
async fn is_replaced_at_once_if_it_followed_an_expired_one() {
    for rejects in Rejects::BOTH {
        let (source, clock) = (Scripted::expires_in(60), ManualClock::new());
        let client = TestClient::new(source.clone(), clock.clone());
        let revoked = async |token: String| match number(&token) {
            1 => {
                clock.advance(secs(70));
                rejects.response()
            }
            2 => rejects.response(),
            _ => bare(200),
        };
        for status in [401, 200] {
            let response = exchange(&client.authorizer, &get(ORIGIN), revoked).await;
            assert_eq!(response.status(), status, "{rejects:?}");
        }
        assert_eq!(source.requests(), 3);
    }
}

/// The price: an API that rejects every token from now on costs two token requests at once, and not
/// one.
#[tokio::test]
async fn cannot_be_told_from_an_api_that_breaks_down() {
    for rejects in Rejects::BOTH {
        let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
        let client = TestClient::new(source.clone(), clock.clone());
        exchange(&client.authorizer, &get(ORIGIN), async |_| bare(200)).await;
        for second in 0..300 {
            for _ in 0..2 {
                let api = async |_| rejects.response();
                let response = exchange(&client.authorizer, &get(ORIGIN), api).await;
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            }
            assert_eq!(source.requests(), 3 + second / 30, "after {second} s");
            clock.advance(secs(1));
        }
    }
}
