//! Explicit rejections (`error="invalid_token"`) and bare 401s have budgets of their own: bare 401s
//! of one endpoint do not keep a revoked token in use.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use auth_core::{Authorizer, TokenCache};
use auth_test_support::{get, scripted::Scripted, secs};
use auth_testing::{ManualClock, TokioClock};
use futures_util::future::join_all;
use http::{Response, StatusCode};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_test::{assert_pending, task};

use super::{
    exchange::{bare, exchange, invalid_token},
    test_client::{ORIGIN, TestClient},
};

const DAY: u64 = 86_400;

fn number(token: &str) -> usize {
    token.trim_start_matches('t').parse().unwrap()
}

async fn send(authorizer: &Authorizer, api: impl AsyncFn(String) -> Response<()>) -> StatusCode {
    exchange(authorizer, &get(ORIGIN), api).await.status()
}

/// An API with good endpoints, which receive 100 requests a second, and one bad endpoint, which
/// receives as many and always responds with a bare 401. After 74.5 s every token so far is revoked.
/// The good endpoints then reject the old tokens with `error="invalid_token"`.
struct Simulation {
    authorizer: Authorizer,
    source: Scripted,
    /// The tokens up to this number are revoked.
    revoked: AtomicUsize,
    started: Instant,
    failed: AtomicUsize,
    last_failure: std::sync::Mutex<Option<Duration>>,
}

const REVOKED_AT: Duration = Duration::from_millis(74_500);

impl Simulation {
    async fn good(&self, at: Duration) {
        sleep_until(self.started + at).await;
        let api = async |token: String| {
            sleep(Duration::from_millis(5)).await;
            match number(&token) <= self.revoked.load(SeqCst) {
                true => invalid_token(401),
                false => bare(200),
            }
        };
        if send(&self.authorizer, api).await != StatusCode::OK {
            self.failed.fetch_add(1, SeqCst);
            *self.last_failure.lock().unwrap() = Some(self.started.elapsed());
        }
    }

    async fn bad(&self, at: Duration) {
        sleep_until(self.started + at).await;
        let api = async |_: String| {
            sleep(Duration::from_millis(5)).await;
            bare(401)
        };
        assert_eq!(send(&self.authorizer, api).await, StatusCode::UNAUTHORIZED);
    }

    async fn revoke(&self) {
        sleep_until(self.started + REVOKED_AT).await;
        self.revoked.store(self.source.requests(), SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_beside_an_endpoint_of_bare_401s_fails_no_request() {
    let source = Scripted::expires_in(DAY).latency(Duration::from_millis(50));
    let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
    let authorizer = Authorizer::builder(tokens.build()).origin(ORIGIN);
    let simulation = Simulation {
        authorizer: authorizer.build().unwrap(),
        source,
        revoked: AtomicUsize::new(0),
        started: Instant::now(),
        failed: AtomicUsize::new(0),
        last_failure: std::sync::Mutex::default(),
    };
    let times = || (0..12_000_u32).map(|n| Duration::from_millis(10) * n);
    let good = join_all(times().map(|at| simulation.good(at)));
    let bad = join_all(times().map(|at| simulation.bad(at + Duration::from_millis(3))));
    tokio::join!(good, bad, simulation.revoke());
    let failed = simulation.failed.load(SeqCst);
    let last = simulation.last_failure.lock().unwrap();
    let lasted = last.map(|at| at - REVOKED_AT);
    assert_eq!(failed, 0, "the failures lasted {lasted:?}");
    let requests = simulation.source.requests();
    assert!(requests <= 10, "{requests} token requests in two minutes");
}

/// Rejects by turns what it accepts: the rejections name accepted tokens.
#[tokio::test]
async fn explicit_rejections_of_accepted_tokens_are_bounded_too() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    let mut each_minute = Vec::new();
    for _ in 0..5 {
        let before = source.requests();
        for _ in 0..60 {
            send(&client.authorizer, async |_| bare(200)).await;
            send(&client.authorizer, async |_| invalid_token(401)).await;
            clock.advance(secs(1));
        }
        each_minute.push(source.requests() - before);
    }
    assert_eq!(each_minute, [5, 2, 2, 2, 2], "the first one included");
}

#[tokio::test]
async fn bare_and_explicit_rejections_by_turns_cost_the_sum_of_both_budgets() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    let mut each_minute = Vec::new();
    for _ in 0..5 {
        let before = source.requests();
        for _ in 0..60 {
            for rejection in [bare(401), invalid_token(401)] {
                send(&client.authorizer, async |_| bare(200)).await;
                send(&client.authorizer, async |_| rejection.clone()).await;
            }
            clock.advance(secs(1));
        }
        each_minute.push(source.requests() - before);
    }
    assert!(each_minute[0] <= 9, "{each_minute:?}");
    assert_eq!(each_minute[1..], [4; 4]);
}

#[tokio::test]
async fn an_api_that_rejects_every_token_explicitly_costs_one_token_request_in_30_s() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    for second in 0..300 {
        let status = send(&client.authorizer, async |_| invalid_token(401)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(source.requests(), 2 + second / 30, "after {second} s");
        clock.advance(secs(1));
    }
}

/// The bare 401 was a guess, and so is the probation of its replacement.
#[tokio::test]
async fn an_explicit_rejection_replaces_the_unaccepted_replacement_of_a_bare_401() {
    let source = Scripted::expires_in(DAY);
    let client = TestClient::new(source.clone(), ManualClock::new());
    send(&client.authorizer, async |_| bare(401)).await;
    assert_eq!(source.requests(), 2);
    send(&client.authorizer, async |_| bare(401)).await;
    assert_eq!(source.requests(), 2, "t2 is on probation");
    let api = async |token: String| match number(&token) {
        1 | 2 => invalid_token(401),
        _ => bare(200),
    };
    assert_eq!(send(&client.authorizer, api).await, StatusCode::OK);
    assert_eq!(source.requests(), 3);
}

/// The token of a fetch that began before the revocation may be revoked as well.
#[tokio::test]
async fn an_explicit_rejection_replaces_the_token_of_a_refresh_that_another_one_joined() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    client.tokens().token().await.unwrap();
    clock.advance(secs(500));
    let _held = source.clone().hold();
    let revoked = async |token: String| match number(&token) {
        1 | 2 => invalid_token(401),
        _ => bare(200),
    };
    let mut joined = task::spawn(send(&client.authorizer, revoked));
    assert_pending!(joined.poll());
    source.release();
    assert_eq!(joined.await, StatusCode::UNAUTHORIZED, "t2 is revoked too");
    assert_eq!(send(&client.authorizer, revoked).await, StatusCode::OK);
    assert_eq!(source.requests(), 3);
}

/// The replacement was requested after the rejection: the API would reject the next one as well.
#[tokio::test]
async fn the_replacement_of_an_explicit_rejection_is_on_probation_for_both_kinds() {
    let (source, clock) = (Scripted::expires_in(DAY), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    send(&client.authorizer, async |_| invalid_token(401)).await;
    for rejection in [bare(401), invalid_token(401)] {
        send(&client.authorizer, async |_| rejection.clone()).await;
        assert_eq!(source.requests(), 2);
    }
    clock.advance(secs(30));
    send(&client.authorizer, async |_| invalid_token(401)).await;
    assert_eq!(source.requests(), 3);
}
