//! A simulated day with an authorization server that fails often, hangs and panics.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_test_support::{secs, settle};
use auth_testing::TokioClock;
use futures_util::FutureExt;
use tokio::time::Instant;

const LIFETIME: Duration = Duration::from_secs(600);
const USABLE_FOR: Duration = Duration::from_secs(570);
/// The time between two reads.
const STEP: Duration = Duration::from_secs(1);

/// Fails 30 % of the requests, hangs at 5 %, and panics at 1 %. An answer takes up to two seconds.
#[derive(Debug)]
struct Unreliable {
    random: Mutex<fastrand::Rng>,
    start: Instant,
    requests: Mutex<Vec<Requested>>,
}

/// One token request. Times are since the start.
#[derive(Clone, Copy, Debug)]
struct Requested {
    at: Duration,
    /// When the request was answered, failed or was dropped.
    over: Duration,
    issued: bool,
}

/// Records the end of a request, also if it is dropped.
struct InFlight<'a> {
    source: &'a Unreliable,
    at: Duration,
    issued: bool,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let (at, over, issued) = (self.at, self.source.start.elapsed(), self.issued);
        let mut requests = self.source.requests.lock().unwrap();
        requests.push(Requested { at, over, issued });
    }
}

#[async_trait]
impl TokenSource for Unreliable {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let at = self.start.elapsed();
        let mut in_flight = InFlight {
            source: self,
            at,
            issued: false,
        };
        let (draw, takes) = {
            let mut random = self.random.lock().unwrap();
            (random.u32(0..100), random.u64(0..2000))
        };
        tokio::time::sleep(Duration::from_millis(takes)).await;
        match draw {
            0..30 => Err(Error::new(ErrorKind::Unavailable, "scripted")),
            30..35 => std::future::pending().await,
            35 => panic!("scripted"),
            _ => {
                in_flight.issued = true;
                // the token contains the time of its request
                let token = at.as_millis().to_string();
                Ok(TokenResponse::bearer(token)?.with_expires_in(LIFETIME))
            }
        }
    }
}

/// Returns the earliest and the latest time of the next request after the `failures`-th failure in a row,
/// while a token remains usable for `left`. The latest time includes one step, because a read starts the
/// request.
fn backoff(failures: u32, left: Option<Duration>) -> (Duration, Duration) {
    let max = if left.is_some() { 60 } else { 10 };
    let backoff = secs(1 << (failures - 1).min(6)).min(secs(max));
    let max = left.map_or(Duration::MAX, |left| (left / 2).max(secs(1) / 10));
    (
        (backoff * 4 / 5).min(max),
        (backoff * 6 / 5).min(max) + STEP,
    )
}

/// Asserts that one request was in flight at a time, and that each was sent when the token was stale or a
/// backoff had ended.
fn assert_patient(seed: u64, requests: &[Requested]) {
    let slack = Duration::from_millis(1);
    let (mut token, mut failures) = (None, 0);
    for pair in requests.windows(2) {
        let (this, next) = (pair[0], pair[1]);
        assert!(next.at >= this.over, "seed {seed}: {this:?}, {next:?}");
        let (earliest, latest) = if this.issued {
            (token, failures) = (Some(this.at), 0);
            // stale 372 to 480 s after the request
            (this.at + secs(372), this.at + secs(480) + STEP)
        } else {
            failures += 1;
            let end = token.map(|asked| asked + USABLE_FOR);
            let left = end
                .filter(|end| *end > this.over)
                .map(|end| end - this.over);
            let (min, max) = backoff(failures, left);
            (this.over + min, this.over + max)
        };
        assert!(
            next.at + slack >= earliest && next.at <= latest + slack,
            "seed {seed}, {failures} failures: {this:?}, {next:?}, expected {earliest:?}–{latest:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_with_an_unreliable_authorization_server() {
    for seed in 0..2 {
        let start = Instant::now();
        let source = Arc::new(Unreliable {
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            start,
            requests: Mutex::default(),
        });
        let tokens = TokenCache::builder(Arc::clone(&source))
            .clock(TokioClock::new())
            .build();
        let mut without = 0;
        while start.elapsed() < secs(86_400) {
            let usable = tokens.status().has_usable_token();
            match tokens.token().now_or_never() {
                Some(Ok(token)) => {
                    let asked: u64 = token.secret().parse().unwrap();
                    let age = start.elapsed() - Duration::from_millis(asked);
                    assert!(age < USABLE_FOR, "seed {seed}: {age:?} old");
                }
                // at the start only: later the refresh window is longer than a run of failures
                Some(Err(_)) | None if !usable => without += 1,
                other => panic!("seed {seed}: a usable token was there, got {other:?}"),
            }
            settle().await;
            tokio::time::advance(STEP).await;
        }
        assert!(without <= 60, "seed {seed}: {without} s without a token");
        let requests = source.requests.lock().unwrap().clone();
        let failed = requests.iter().filter(|request| !request.issued).count();
        assert!(
            requests.len() >= 180,
            "seed {seed}: at least one request every 480 s"
        );
        assert!(failed >= 40, "seed {seed}: {failed} failures");
        assert_patient(seed, &requests);
    }
}
