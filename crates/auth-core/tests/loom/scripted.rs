//! A clock and a token source that a test controls.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, TokenRequest, TokenResponse, TokenSource, async_trait,
    time::{Clock, Now, Sleep},
};
use loom::thread;

const LIFETIME: Duration = Duration::from_secs(86_400);
/// When a token is stale, and far from expired, in seconds.
pub(crate) const STALE: u64 = 85_000;

/// A clock that a test moves by seconds. A sleep never ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        let time = Duration::from_secs(self.0.load(SeqCst));
        Now {
            monotonic: time,
            wall: time,
        }
    }

    fn sleep_until(&self, _deadline: Duration) -> Sleep {
        Box::pin(pending())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Token,
    Failure,
    Never,
}

/// Gives the scripted answers in turn, and the last one from then on. The n-th request's token is
/// `tn`.
#[derive(Debug)]
pub(crate) struct Source {
    answers: Vec<Answer>,
    requests: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

impl Source {
    pub(crate) fn new(answers: &[Answer]) -> Self {
        Self {
            answers: answers.to_vec(),
            requests: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(SeqCst)
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.max_in_flight.load(SeqCst)
    }
}

struct InFlight<'a>(&'a Source);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = self.requests.fetch_add(1, SeqCst) + 1;
        let in_flight = self.in_flight.fetch_add(1, SeqCst) + 1;
        self.max_in_flight.fetch_max(in_flight, SeqCst);
        let _in_flight = InFlight(self);
        // lets other threads run here
        thread::yield_now();
        match self.answers.get(request - 1).or(self.answers.last()) {
            Some(Answer::Token) => {
                Ok(TokenResponse::bearer(format!("t{request}"))?.with_expires_in(LIFETIME))
            }
            Some(Answer::Failure) => Err(Error::new(ErrorKind::Unavailable, "scripted")),
            Some(Answer::Never) | None => pending().await,
        }
    }
}
