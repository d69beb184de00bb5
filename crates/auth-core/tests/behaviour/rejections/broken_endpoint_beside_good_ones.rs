//! An endpoint that rejects every token, beside good endpoints, does not keep a revoked token in use.

use std::time::Duration;

use auth_core::time::Clock;
use auth_test_support::{get, scripted::Scripted, secs};
use auth_testing::ManualClock;
use http::StatusCode;

use super::{
    exchange::{bare, exchange},
    revocation_simulation::{DAY, Rejects, Simulation},
    test_client::{ORIGIN, TestClient},
};

const REVOKED_AT: Duration = Duration::from_millis(74_500);

/// The broken endpoint has used up its share of the budget when the token is revoked.
#[tokio::test(start_paused = true)]
async fn that_rejects_as_they_do_delays_the_replacement_by_two_seconds() {
    for both in Rejects::BOTH {
        let report = Simulation {
            rejects: both,
            broken: Some(both),
            revoked_at: Some(REVOKED_AT),
            ..Simulation::default()
        }
        .run()
        .await;
        let lasted = report.last_failure.unwrap_or(REVOKED_AT) - REVOKED_AT;
        eprintln!(
            "{both:?}: {} failed, for {lasted:?}; token requests at {:?}",
            report.failed, report.token_requests
        );
        assert!(lasted < Duration::from_millis(2200), "{lasted:?}, {both:?}");
        assert!(
            report.token_requests.len() <= 9,
            "{:?}",
            report.token_requests
        );
    }
}

/// Responses that take longer than the second of the observation do not prove in time that the token is
/// accepted. The next growth of the budget replaces it.
#[tokio::test(start_paused = true)]
async fn that_respond_slowly_delays_the_replacement_by_30_seconds_at_most() {
    let report = Simulation {
        broken: Some(Rejects::Explicitly),
        revoked_at: Some(REVOKED_AT),
        apart: Duration::from_millis(20),
        latency: secs(2),
        ..Simulation::default()
    }
    .run()
    .await;
    let lasted = report.last_failure.unwrap_or(REVOKED_AT) - REVOKED_AT;
    eprintln!(
        "slow: {} failed, for {lasted:?}; token requests at {:?}",
        report.failed, report.token_requests
    );
    assert!(lasted < secs(35), "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn that_states_invalid_token_does_not_delay_what_good_ones_reject_without_a_reason() {
    let report = Simulation {
        rejects: Rejects::Barely,
        broken: Some(Rejects::Explicitly),
        revoked_at: Some(REVOKED_AT),
        ..Simulation::default()
    }
    .run()
    .await;
    assert_eq!(report.failed, 0);
}

/// Returns how many token requests these responses have caused after each of ten minutes, in addition to
/// the first.
async fn caused_by(pattern: &[&str], apart: Duration) -> Vec<usize> {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    client.tokens().token().await.unwrap();
    let mut responses = pattern.iter().cycle();
    let mut caused = Vec::new();
    for minute in 1..=10 {
        let end = secs(60 * minute);
        let started = clock.now().monotonic;
        let mut at = secs(60 * (minute - 1));
        while at < end {
            let response = match *responses.next().unwrap() {
                "accept" => bare(200),
                "explicit" => Rejects::Explicitly.response(),
                _ => Rejects::Barely.response(),
            };
            let api = async |_| response.clone();
            exchange(&client.authorizer, &get(ORIGIN), api).await;
            let step = apart.min(end - at);
            clock.advance(step);
            at += step;
        }
        assert_eq!(clock.now().monotonic - started, secs(60));
        caused.push(source.requests() - 1);
    }
    caused
}

/// The owner of an endpoint may accept and reject as it likes.
#[tokio::test]
async fn of_an_attacker_causes_no_more_token_requests_than_the_budgets() {
    let of_one_kind: [&[&str]; 3] = [
        &["accept", "explicit"],
        &["accept", "bare"],
        &["explicit", "explicit", "explicit", "accept"],
    ];
    let of_both_kinds: [&[&str]; 3] = [
        &["accept", "explicit", "accept", "bare"],
        &["explicit", "bare", "bare", "explicit", "explicit", "accept"],
        &[
            "accept", "bare", "bare", "bare", "accept", "explicit", "explicit", "explicit",
        ],
    ];
    for apart in [100, 700, 1100, 3000].map(Duration::from_millis) {
        for (patterns, budgets) in [(of_one_kind, 1), (of_both_kinds, 2)] {
            for pattern in patterns {
                let caused = caused_by(pattern, apart).await;
                for (minute, caused) in (1..).zip(&caused) {
                    let most = budgets * (4 + 2 * minute);
                    assert!(
                        *caused <= most,
                        "{pattern:?}, {apart:?}: {caused} in {minute} min"
                    );
                }
                eprintln!("{pattern:?}, {apart:?} apart: {caused:?}");
            }
        }
    }
}

/// The last of the budget is for a token that nothing has accepted for a second.
#[tokio::test]
async fn leaves_the_last_of_the_budget_to_a_revocation() {
    for rejects in Rejects::BOTH {
        let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
        let client = TestClient::new(source.clone(), clock.clone());
        let send = async |accepts: bool| {
            let api = async |_| match accepts {
                true => bare(200),
                false => rejects.response(),
            };
            exchange(&client.authorizer, &get(ORIGIN), api)
                .await
                .status()
        };
        for _ in 0..20 {
            assert_eq!(send(true).await, StatusCode::OK);
            send(false).await;
            clock.advance(secs(1));
        }
        assert_eq!(source.requests(), 4, "the first one, and three of four");
        for _ in 0..3 {
            send(false).await;
            clock.advance(secs(1));
        }
        assert_eq!(source.requests(), 5);
    }
}
