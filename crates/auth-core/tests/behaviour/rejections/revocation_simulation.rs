//! A client of good endpoints, beside other endpoints, whose token is revoked while the token endpoint
//! is in trouble. Time is tokio's, and paused.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{
    Authorizer, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource,
};
use auth_test_support::get;
use auth_testing::TokioClock;
use futures_util::future::{join_all, pending};
use http::{Response, StatusCode};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    exchange::{bare, exchange, invalid_token},
    test_client::ORIGIN,
};

pub(super) const DAY: u64 = 86_400;

/// How the API states that it rejects a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rejects {
    Explicitly,
    Barely,
}

impl Rejects {
    pub(super) const BOTH: [Self; 2] = [Self::Explicitly, Self::Barely];

    pub(super) fn response(self) -> Response<()> {
        match self {
            Self::Explicitly => invalid_token(401),
            Self::Barely => bare(401),
        }
    }
}

/// What a token request meets during the outage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Fails(ErrorKind),
    Hangs,
}

/// The token endpoint.
#[derive(Clone, Debug)]
pub(super) struct Provider(Arc<State>);

#[derive(Debug)]
struct State {
    started: Instant,
    lifetime: Duration,
    outage: Range<Duration>,
    trouble: Trouble,
    /// After the first token: this many responses contain that token again.
    again: AtomicUsize,
    issued: AtomicUsize,
    requests: Mutex<Vec<Duration>>,
}

impl Provider {
    fn new(of: &Simulation) -> Self {
        Self(Arc::new(State {
            started: Instant::now(),
            lifetime: Duration::from_secs(of.lifetime),
            outage: of.outage.clone(),
            trouble: of.trouble,
            again: AtomicUsize::new(of.again),
            issued: AtomicUsize::new(0),
            requests: Mutex::default(),
        }))
    }
}

#[async_trait]
impl TokenSource for Provider {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let state = &self.0;
        let at = state.started.elapsed();
        state.requests.lock().unwrap().push(at);
        if state.outage.contains(&at) {
            match state.trouble {
                Trouble::Fails(kind) => return Err(Error::new(kind, "outage")),
                Trouble::Hangs => pending().await,
            }
        }
        let issued = state.issued.load(SeqCst);
        let take = |left: usize| left.checked_sub(1);
        let is_again = issued > 0 && state.again.fetch_update(SeqCst, SeqCst, take).is_ok();
        let number = match is_again {
            true => issued,
            false => state.issued.fetch_add(1, SeqCst) + 1,
        };
        // the response is on its way
        sleep(Duration::from_millis(50)).await;
        Ok(TokenResponse::bearer(format!("t{number}"))?.with_expires_in(state.lifetime))
    }
}

/// The settings of one run.
#[derive(Clone, Debug)]
pub(super) struct Simulation {
    pub(super) lifetime: u64,
    /// The good endpoints reject so.
    pub(super) rejects: Rejects,
    /// All tokens issued so far are revoked at this time.
    pub(super) revoked_at: Option<Duration>,
    pub(super) outage: Range<Duration>,
    pub(super) trouble: Trouble,
    pub(super) again: usize,
    /// When requests are sent to the good endpoints, and how far apart.
    pub(super) requests: Range<Duration>,
    pub(super) apart: Duration,
    /// As many requests are sent to an endpoint that rejects every token so.
    pub(super) broken: Option<Rejects>,
    /// How long each endpoint takes to respond.
    pub(super) latency: Duration,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            lifetime: DAY,
            rejects: Rejects::Explicitly,
            revoked_at: None,
            outage: Duration::ZERO..Duration::ZERO,
            trouble: Trouble::Fails(ErrorKind::Unavailable),
            again: 0,
            requests: Duration::ZERO..Duration::from_secs(120),
            apart: Duration::from_millis(10),
            broken: None,
            latency: Duration::from_millis(5),
        }
    }
}

#[derive(Debug)]
pub(super) struct Report {
    /// The number of requests to the good endpoints without success.
    pub(super) failed: usize,
    /// The time of the last one of them.
    pub(super) last_failure: Option<Duration>,
    /// The times of the token requests.
    pub(super) token_requests: Vec<Duration>,
}

impl Report {
    /// Returns the number of token requests in this time.
    pub(super) fn token_requests_in(&self, time: Range<Duration>) -> usize {
        let times = self.token_requests.iter().copied();
        times.filter(|at| time.contains(at)).count()
    }
}

fn number(token: &str) -> usize {
    token.trim_start_matches('t').parse().unwrap()
}

/// Sends a request without an error of ours. A request that has to wait for a token, and gets none, has
/// no response.
async fn send(
    authorizer: &Authorizer,
    api: impl AsyncFn(String) -> Response<()>,
) -> Option<StatusCode> {
    let has_token = authorizer.tokens()?.token().await.is_ok();
    match has_token {
        true => Some(exchange(authorizer, &get(ORIGIN), api).await.status()),
        false => None,
    }
}

impl Simulation {
    pub(super) async fn run(&self) -> Report {
        let provider = Provider::new(self);
        let tokens = TokenCache::builder(provider.clone()).clock(TokioClock::new());
        let authorizer = Authorizer::builder(tokens.build()).origin(ORIGIN);
        let authorizer = authorizer.build().unwrap();
        let started = Instant::now();
        let revoked = AtomicUsize::new(0);
        let report = Mutex::new((0, None));
        let good = async |at: Duration| {
            sleep_until(started + at).await;
            let api = async |token: String| {
                sleep(self.latency).await;
                match number(&token) <= revoked.load(SeqCst) {
                    true => self.rejects.response(),
                    false => bare(200),
                }
            };
            match send(&authorizer, api).await {
                Some(StatusCode::OK) => {}
                other => {
                    let has_token = self.revoked_at.is_some();
                    let expected = has_token.then_some(StatusCode::UNAUTHORIZED);
                    assert_eq!(
                        other, expected,
                        "the response of the API, if there is a token"
                    );
                    let mut report = report.lock().unwrap();
                    *report = (report.0 + 1, Some(started.elapsed()));
                }
            }
        };
        let broken = async |at: Duration, rejects: Rejects| {
            sleep_until(started + at).await;
            let api = async |_: String| {
                sleep(self.latency).await;
                rejects.response()
            };
            send(&authorizer, api).await;
        };
        let revoke = async {
            let Some(at) = self.revoked_at else { return };
            sleep_until(started + at).await;
            revoked.store(provider.0.issued.load(SeqCst), SeqCst);
            // the jitter of what follows
            fastrand::seed(7);
        };
        let Range { start, end } = self.requests;
        let count = (end - start).as_millis() / self.apart.as_millis();
        let times = || (0..u32::try_from(count).unwrap()).map(move |n| start + self.apart * n);
        let all_good = join_all(times().map(&good));
        let all_broken = async {
            if let Some(rejects) = self.broken {
                let late = Duration::from_millis(3);
                join_all(times().map(|at| broken(at + late, rejects))).await;
            }
        };
        tokio::join!(all_good, all_broken, revoke);
        let (failed, last_failure) = *report.lock().unwrap();
        let token_requests = provider.0.requests.lock().unwrap().clone();
        Report {
            failed,
            last_failure,
            token_requests,
        }
    }
}
