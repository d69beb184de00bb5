//! A smaller version of `examples/fleet_simulation`: fleets in simulated time.

use auth_core::RefreshPolicy;
use auth_test_support::secs;
use simulated_fleet::{Capacity, Outage, Overload, Record, Scenario, Silence, run};

fn outcome(scenario: &Scenario) -> Record {
    run(scenario, |_| {}).unwrap()
}

/// Returns the highest peak-to-mean ratio after the tenth period, for 2,000 processes that start within a
/// second. A bucket is about a tenth of a period, and contains 200 ± 14 requests (Poisson).
fn peak_to_mean_after_ten_periods(policy: RefreshPolicy) -> f64 {
    let scenario = Scenario {
        policy,
        ..Scenario::new(2000, secs(12 * 426), 1)
    };
    let record = outcome(&scenario);
    assert_eq!(record.most_without_token(secs(1)), 0);
    let periods = record.peak_to_mean(scenario.period, secs(42));
    assert_eq!(periods.len(), 12);
    periods[10..].iter().copied().fold(0.0, f64::max)
}

#[test]
fn without_jitter_processes_that_started_together_refresh_together() {
    let policy = RefreshPolicy::builder().jitter(0.0).build().unwrap();
    let peak = peak_to_mean_after_ten_periods(policy);
    assert!(peak > 9.0, "all in one of ten buckets, got {peak:.2}");
}

#[test]
fn the_default_policy_makes_no_more_than_twice_the_mean_after_ten_periods() {
    let peak = peak_to_mean_after_ten_periods(RefreshPolicy::default());
    assert!(peak <= 2.0, "{peak:.2}");
}

#[test]
fn with_a_shared_store_a_fleet_makes_one_request_for_each_token() {
    let scenario = Scenario {
        shared_store: true,
        ..Scenario::new(200, secs(3600), 1)
    };
    let record = outcome(&scenario);
    assert_eq!(record.most_without_token(secs(1)), 0);
    // the first of 200 refreshes: after at least 372 s, and before the middle of the window, 426 s, except
    // once in 2^200 times
    let requests = record.total();
    assert!((9..=10).contains(&requests), "{requests} in an hour");
}

/// 200 processes, and a server that serves two requests a second and is down for ten minutes.
fn after_an_outage(shared_store: bool, silence: Silence) -> (Record, Outage) {
    let outage = Outage {
        from: secs(3000),
        length: secs(600),
        silence,
    };
    let scenario = Scenario {
        shared_store,
        outage: Some(outage),
        capacity: Some(Capacity {
            per_second: 2,
            queue: 4,
            beyond: Overload::Unavailable,
        }),
        ..Scenario::new(200, secs(4500), 1)
    };
    (outcome(&scenario), outage)
}

#[test]
fn a_fleet_recovers_from_an_outage_as_fast_as_the_server_can_serve_it() {
    let (record, outage) = after_an_outage(false, Silence::Unavailable);
    assert_eq!(record.most_without_token(outage.end() - secs(1)), 200);
    // 200 requests at two a second, and one more backoff of up to 12 s
    let after = record.recovered_after(outage.end()).unwrap().as_secs();
    assert!((99..=115).contains(&after), "{after} s");
}

#[test]
fn with_a_shared_store_a_fleet_recovers_within_one_backoff() {
    let (record, outage) = after_an_outage(true, Silence::Unavailable);
    assert_eq!(record.most_without_token(outage.end() - secs(1)), 200);
    // a backoff of at most 12 s, after one of another process of 10 s
    let after = record.recovered_after(outage.end()).unwrap().as_secs();
    assert!(after <= 22, "{after} s");
    let requests: u32 = record.requests(outage.end(), secs(4500)).iter().sum();
    assert!(requests <= 20, "{requests} since the end of the outage");
}

/// When the token of all processes expires, one process requests a token, and one more under the fallback
/// lease.
#[test]
fn with_a_shared_store_an_outage_causes_no_burst_of_requests() {
    for silence in [Silence::NoAnswer, Silence::Unavailable] {
        let (record, outage) = after_an_outage(true, silence);
        let requests = record.requests(outage.from, outage.end());
        let most = requests.iter().max().unwrap();
        let all: u32 = requests.iter().sum();
        assert!(*most <= 10, "{most} in a second, {silence:?}");
        assert!(all <= 300, "{all} in ten minutes, {silence:?}");
    }
}
