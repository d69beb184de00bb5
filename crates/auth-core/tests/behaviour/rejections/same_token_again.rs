//! The token endpoint returns the revoked token once more, because it caches its responses. It is asked
//! again soon, at growing intervals, within the rejection budget.

use std::time::Duration;

use auth_test_support::secs;

use super::revocation_simulation::{Rejects, Report, Simulation};

const REVOKED_AT: Duration = Duration::from_secs(20);

/// `cached`: the number of tokens that the token endpoint alternates between. All of them are revoked.
async fn returned(again: usize, cached: usize, rejects: Rejects) -> (Duration, Report) {
    let report = Simulation {
        rejects,
        revoked_at: Some(REVOKED_AT),
        again,
        cached,
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
        let (lasted, _) = returned(1, 1, rejects).await;
        assert!(
            lasted < Duration::from_millis(1400),
            "{lasted:?}, {rejects:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn three_times_is_replaced_after_three_growing_intervals() {
    for rejects in Rejects::BOTH {
        let (lasted, report) = returned(3, 1, rejects).await;
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
        let (_, report) = returned(usize::MAX, 1, rejects).await;
        let first = report.token_requests_in(REVOKED_AT..REVOKED_AT + secs(29));
        assert_eq!(first, 4, "{:?}", report.token_requests);
        for minute in [50, 110] {
            let requests = report.token_requests_in(secs(minute)..secs(minute + 60));
            assert!(requests <= 2, "{:?}", report.token_requests);
        }
    }
}
