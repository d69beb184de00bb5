//! The token endpoint is out of order when an API revokes the token: once it is back, the token is
//! replaced as fast as one that has expired, and no faster.

use std::{sync::Mutex, time::Duration};

use auth_core::ErrorKind;
use auth_test_support::{
    get,
    scripted::{Answer, Scripted},
    secs,
};
use auth_testing::ManualClock;
use http::StatusCode;

use super::{
    exchange::{bare, exchange},
    revocation_simulation::{DAY, Rejects, Report, Simulation, Trouble},
    test_client::{ORIGIN, TestClient},
};

const REVOKED_AT: Duration = Duration::from_secs(20);
const APART: Duration = Duration::from_millis(50);

/// Returns how long the good requests fail after a revocation that begins an outage.
async fn after_a_revocation(
    rejects: Rejects,
    trouble: Trouble,
    lasts: Duration,
) -> (Duration, Report) {
    let report = Simulation {
        rejects,
        revoked_at: Some(REVOKED_AT),
        outage: REVOKED_AT..REVOKED_AT + lasts,
        trouble,
        requests: Duration::ZERO..REVOKED_AT + lasts + secs(70),
        apart: APART,
        ..Simulation::default()
    }
    .run()
    .await;
    (
        report.last_failure.unwrap_or(REVOKED_AT) - REVOKED_AT,
        report,
    )
}

/// Returns how long the requests fail if the outage begins when there is no token.
async fn without_a_token(trouble: Trouble, lasts: Duration) -> (Duration, Report) {
    fastrand::seed(7);
    let report = Simulation {
        outage: Duration::ZERO..lasts,
        trouble,
        requests: Duration::ZERO..lasts + secs(70),
        apart: APART,
        ..Simulation::default()
    }
    .run()
    .await;
    (report.last_failure.unwrap_or_default(), report)
}

async fn recovers_as_fast_as_without_a_token(trouble: Trouble) {
    let mut slower = Vec::new();
    for seconds in [0.2, 2.0, 9.0, 45.0, 200.0] {
        let lasts = Duration::from_secs_f64(seconds);
        let (expected, reference) = without_a_token(trouble, lasts).await;
        for rejects in Rejects::BOTH {
            let (lasted, report) = after_a_revocation(rejects, trouble, lasts).await;
            eprintln!(
                "{trouble:?} {rejects:?} {seconds} s: {lasted:?}, without a token {expected:?}; \
                 token requests {} and {}",
                report.token_requests.len() - 1,
                reference.token_requests.len()
            );
            // each attempt begins with a request
            if lasted > expected + APART * 6
                || report.token_requests.len() > reference.token_requests.len() + 1
            {
                slower.push((seconds, rejects, lasted, expected, report.token_requests));
            }
        }
    }
    assert!(slower.is_empty(), "{slower:#?}");
}

#[tokio::test(start_paused = true)]
async fn of_503s_ends_the_failures_as_fast_as_without_a_token() {
    recovers_as_fast_as_without_a_token(Trouble::Fails(ErrorKind::Unavailable)).await;
}

#[tokio::test(start_paused = true)]
async fn of_refused_connections_ends_the_failures_as_fast_as_without_a_token() {
    recovers_as_fast_as_without_a_token(Trouble::Fails(ErrorKind::Connection)).await;
}

#[tokio::test(start_paused = true)]
async fn of_requests_that_hang_ends_the_failures_as_fast_as_without_a_token() {
    recovers_as_fast_as_without_a_token(Trouble::Hangs).await;
}

/// The refresh of the stale token has failed for minutes when the token is revoked. Its backoff was
/// meant for a usable token.
#[tokio::test(start_paused = true)]
async fn that_began_before_does_not_keep_the_long_backoff_of_a_usable_token() {
    for rejects in Rejects::BOTH {
        let report = Simulation {
            lifetime: 3600,
            rejects,
            revoked_at: Some(secs(3310)),
            outage: secs(2370)..secs(3320),
            requests: Duration::ZERO..secs(3400),
            apart: Duration::from_millis(500),
            ..Simulation::default()
        }
        .run()
        .await;
        let end = report.last_failure.unwrap();
        eprintln!("{rejects:?}: the last failure is at {end:?}");
        assert!(end <= secs(3333), "{end:?}: {:?}", report.token_requests);
    }
}

/// What the good endpoints accept is not revoked: the backoff is that of a usable token, 60 s at most.
#[tokio::test(start_paused = true)]
async fn beside_a_broken_endpoint_and_no_revocation_is_no_reason_to_ask_more_often() {
    for broken in Rejects::BOTH {
        let report = Simulation {
            broken: Some(broken),
            outage: secs(20)..secs(1000),
            requests: Duration::ZERO..secs(400),
            apart: APART,
            ..Simulation::default()
        }
        .run()
        .await;
        assert_eq!(report.failed, 0);
        let minutes = [160, 220, 280, 340].map(|start| secs(start)..secs(start + 60));
        let requests = minutes.map(|minute| report.token_requests_in(minute));
        eprintln!("{broken:?}: {requests:?}");
        assert!(
            requests.iter().all(|requests| *requests <= 2),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn does_not_use_up_the_rejection_budget() {
    let source = Scripted::expires_in(DAY).then(Answer::ExpiresIn(secs(DAY)));
    let source = (0..10).fold(source, |source, _| {
        source.then(Answer::fails(ErrorKind::Unavailable))
    });
    let clock = ManualClock::new();
    let client = TestClient::new(source.clone(), clock.clone());
    client.api.revoke("t1");
    for _ in 0..10 {
        assert_eq!(client.get("/").await, StatusCode::UNAUTHORIZED);
        let error = client.tokens().status().last_error.unwrap();
        clock.advance(error.retry_after().unwrap());
    }
    for token in ["t2", "t3"] {
        assert_eq!(client.get("/").await, StatusCode::OK);
        client.api.revoke(token);
    }
    assert_eq!(client.get("/").await, StatusCode::OK);
}

/// Fails this many token requests before each success.
fn unreliable(failures: usize) -> Scripted {
    (0..200).fold(Scripted::expires_in(DAY), |source, _| {
        let fails = |source: Scripted, _| source.then(Answer::fails(ErrorKind::Unavailable));
        (0..failures)
            .fold(source, fails)
            .then(Answer::ExpiresIn(secs(DAY)))
    })
}

/// Returns how many token requests the rejections have caused after each of ten minutes, with ten
/// responses a second.
async fn caused(failures: usize, accepts: impl Fn(&str, usize) -> bool) -> Vec<usize> {
    let (source, clock) = (unreliable(failures), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    while client.tokens().token().await.is_err() {
        clock.advance(secs(1));
    }
    let before = source.requests();
    let mut caused = Vec::new();
    for _ in 0..10 {
        for number in 0..600 {
            let kind = Rejects::BOTH[number / 2 % 2];
            let api = async |token: String| match accepts(&token, number) {
                true => bare(200),
                false => kind.response(),
            };
            exchange(&client.authorizer, &get(ORIGIN), api).await;
            clock.advance(Duration::from_millis(100));
        }
        caused.push(source.requests() - before);
    }
    caused
}

/// Returns what both budgets together permit in this many minutes.
fn budgets(minutes: usize) -> usize {
    2 * (4 + 2 * minutes)
}

/// An API that rejects what it accepts again and again pays for failures as for successes. Only the
/// first failure after each token is given back: the API may have rejected that token before it
/// accepted it.
#[tokio::test]
async fn that_comes_and_goes_does_not_let_an_attacker_exceed_the_budgets() {
    for failures in 1..=5 {
        let caused = caused(failures, |_, number| number % 2 == 0).await;
        eprintln!("by turns, {failures} failures before each success: {caused:?}");
        for (minutes, caused) in (1..).zip(&caused) {
            let paid = budgets(minutes);
            let most = paid + paid / (failures + 1);
            assert!(
                *caused <= most,
                "{failures} failures: {caused} in {minutes} min"
            );
        }
    }
}

/// The worst case: each token is accepted once, and then looks revoked. The budgets bound the successes,
/// and the backoff the failures between them.
#[tokio::test]
async fn that_comes_and_goes_costs_few_token_requests_although_every_token_is_revoked() {
    for failures in 1..=5 {
        let last = Mutex::new(String::new());
        let caused = caused(failures, |token, _| {
            let mut last = last.lock().unwrap();
            let is_new = *last != token;
            token.clone_into(&mut last);
            is_new
        });
        let caused = caused.await;
        eprintln!("once each, {failures} failures before each success: {caused:?}");
        // the shortest time between two tokens: each backoff may be a fifth shorter
        let backoffs = [1.0, 2.0, 4.0, 8.0, 10.0];
        let apart = 0.8 * backoffs[..failures].iter().sum::<f64>();
        for (minutes, caused) in (1..).zip(&caused) {
            let fit = (60.0 * minutes as f64 / apart) as usize + 1;
            let most = budgets(minutes).min(fit) * (failures + 1);
            assert!(
                *caused <= most,
                "{failures} failures: {caused} in {minutes} min"
            );
        }
    }
}
