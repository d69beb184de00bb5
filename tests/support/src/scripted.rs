//! A token source with scripted responses.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, TokenRequest, TokenResponse, TokenSource};
use tokio::sync::Semaphore;

/// The response of a [`Scripted`] source to one token request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The next token, `t1`, `t2`, …, with this lifetime.
    ExpiresIn(Duration),
    /// The next token, without a lifetime.
    NoExpiresIn,
    /// This error.
    Fails(Error),
    /// A panic whose message contains a secret.
    Panics,
    /// No response.
    Hangs,
}

impl Answer {
    /// An error of this kind.
    pub fn fails(kind: ErrorKind) -> Self {
        Self::Fails(Error::new(kind, "scripted"))
    }
}

/// A token source with scripted responses, which counts its token requests.
#[derive(Clone, Debug)]
pub struct Scripted(Arc<State>);

#[derive(Debug)]
struct State {
    always: Answer,
    next: Mutex<VecDeque<Answer>>,
    latency: Mutex<Duration>,
    /// Each token request takes a permit. A held source has none.
    gate: Semaphore,
    requests: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    issued: AtomicUsize,
}

const OPEN: usize = 1 << 20;

impl Scripted {
    /// Returns a source that gives this answer to every token request. Answers added by
    /// [`then`](Self::then) come first.
    pub fn always(answer: Answer) -> Self {
        Self(Arc::new(State {
            always: answer,
            next: Mutex::default(),
            latency: Mutex::default(),
            gate: Semaphore::new(OPEN),
            requests: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
            issued: AtomicUsize::new(0),
        }))
    }

    /// Returns a source of tokens whose lifetime is `seconds`.
    pub fn expires_in(seconds: u64) -> Self {
        Self::always(Answer::ExpiresIn(Duration::from_secs(seconds)))
    }

    /// Adds an answer, which precedes the usual one.
    pub fn then(self, answer: Answer) -> Self {
        self.0.next.lock().unwrap().push_back(answer);
        self
    }

    /// Sets how long each answer takes.
    pub fn latency(self, latency: Duration) -> Self {
        *self.0.latency.lock().unwrap() = latency;
        self
    }

    /// Holds every token request until [`release`](Self::release).
    pub fn hold(self) -> Self {
        self.0.gate.forget_permits(OPEN);
        self
    }

    /// Answers the held token requests and all later ones.
    pub fn release(&self) {
        self.0
            .gate
            .add_permits(OPEN - self.0.gate.available_permits());
    }

    /// Returns the number of token requests so far.
    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Returns the number of token requests in flight.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(SeqCst)
    }

    /// Returns the maximum number of token requests that were in flight at once.
    pub fn max_in_flight(&self) -> usize {
        self.0.max_in_flight.load(SeqCst)
    }
}

/// Counts a token request as in flight until it has finished or is dropped.
struct InFlight<'a>(&'a State);

impl<'a> InFlight<'a> {
    fn start(state: &'a State) -> Self {
        state.requests.fetch_add(1, SeqCst);
        let now = state.in_flight.fetch_add(1, SeqCst) + 1;
        state.max_in_flight.fetch_max(now, SeqCst);
        Self(state)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl TokenSource for Scripted {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let _in_flight = InFlight::start(&self.0);
        let answer = self.0.next.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| self.0.always.clone());
        drop(self.0.gate.acquire().await.unwrap());
        let latency = *self.0.latency.lock().unwrap();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let issue = || {
            let number = self.0.issued.fetch_add(1, SeqCst) + 1;
            TokenResponse::bearer(format!("t{number}"))
        };
        match answer {
            Answer::ExpiresIn(lifetime) => Ok(issue()?.with_expires_in(lifetime)),
            Answer::NoExpiresIn => issue(),
            Answer::Fails(error) => Err(error),
            Answer::Panics => panic!("scripted: s3cr3t"),
            Answer::Hangs => std::future::pending().await,
        }
    }
}
