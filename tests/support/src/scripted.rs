//! A token source that a test scripts.

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

/// What a source does when it is asked.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The next token, `t1`, `t2`, …, with this lifetime.
    Lives(Duration),
    /// A token that does not tell its lifetime.
    Silent,
    /// This error.
    Fails(Error),
    /// A panic whose message holds a secret.
    Panics,
    /// No answer at all.
    Hangs,
}

impl Answer {
    /// An error of this kind.
    pub fn fails(kind: ErrorKind) -> Self {
        Self::Fails(Error::new(kind, "scripted"))
    }
}

/// A token source that does as it is told, and counts.
#[derive(Clone, Debug)]
pub struct Scripted(Arc<State>);

#[derive(Debug)]
struct State {
    always: Answer,
    next: Mutex<VecDeque<Answer>>,
    latency: Mutex<Duration>,
    /// A request passes with a permit; there are plenty unless the test holds them.
    gate: Semaphore,
    requests: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    minted: AtomicUsize,
}

const OPEN: usize = 1 << 20;

impl Scripted {
    /// Always answers so, but for what [`then`](Self::then) puts before it.
    pub fn always(answer: Answer) -> Self {
        Self(Arc::new(State {
            always: answer,
            next: Mutex::default(),
            latency: Mutex::default(),
            gate: Semaphore::new(OPEN),
            requests: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            minted: AtomicUsize::new(0),
        }))
    }

    /// Tokens that live for `seconds`.
    pub fn lives(seconds: u64) -> Self {
        Self::always(Answer::Lives(Duration::from_secs(seconds)))
    }

    /// One more answer, before the usual one.
    pub fn then(self, answer: Answer) -> Self {
        self.0.next.lock().unwrap().push_back(answer);
        self
    }

    /// How long each answer takes.
    pub fn takes(self, latency: Duration) -> Self {
        *self.0.latency.lock().unwrap() = latency;
        self
    }

    /// Requests wait from now on, until [`release`](Self::release).
    pub fn hold(self) -> Self {
        self.0.gate.forget_permits(OPEN);
        self
    }

    /// Lets requests pass again.
    pub fn release(&self) {
        self.0
            .gate
            .add_permits(OPEN - self.0.gate.available_permits());
    }

    /// Token requests so far.
    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Token requests in flight.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(SeqCst)
    }

    /// The most that were in flight at a time.
    pub fn most_in_flight(&self) -> usize {
        self.0.most_in_flight.load(SeqCst)
    }
}

/// Counts a request as in flight until it is over or dropped.
struct InFlight<'a>(&'a State);

impl<'a> InFlight<'a> {
    fn start(state: &'a State) -> Self {
        state.requests.fetch_add(1, SeqCst);
        let now = state.in_flight.fetch_add(1, SeqCst) + 1;
        state.most_in_flight.fetch_max(now, SeqCst);
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
        let mint = || {
            let number = self.0.minted.fetch_add(1, SeqCst) + 1;
            TokenResponse::bearer(format!("t{number}"))
        };
        match answer {
            Answer::Lives(lifetime) => Ok(mint()?.with_expires_in(lifetime)),
            Answer::Silent => mint(),
            Answer::Fails(error) => Err(error),
            Answer::Panics => panic!("scripted: s3cr3t"),
            Answer::Hangs => std::future::pending().await,
        }
    }
}
