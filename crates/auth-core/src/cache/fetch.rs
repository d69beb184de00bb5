//! One fetch: its turn, the source, its deadline, its immediate retry, its panics.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    client::Client,
    denials::{Standing, Start},
    inner::Inner,
    state::Progress,
    turns::GRACE,
    waiting::{Times, Turn},
};
use crate::{
    Error, ErrorKind, TokenRequest, TokenResponse, TokenSource,
    attempt_time::AttemptTime,
    events,
    panics::catch_panic,
    time::{AnyClock, Now},
};

/// One fetch. It does not hold the cache, and so does not keep it alive.
pub(super) struct Fetch {
    /// The number of the fetch in its cache.
    pub(super) number: u64,
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) request: TokenRequest,
    pub(super) clock: AnyClock,
    pub(super) client: Arc<Client>,
    pub(super) cache: Weak<Inner>,
    /// The waiters watch it. If it is dropped without an outcome, they learn that the fetch has
    /// none.
    pub(super) progress: watch::Sender<Progress>,
    /// Locked for an instant, and by the task of the fetch only.
    pub(super) schedule: Mutex<Schedule>,
    /// How long an attempt takes without a usable token.
    pub(super) patience: Duration,
    /// The attempt timeout. `None` if a usable token makes the deadline earlier.
    pub(super) timeout: Option<Duration>,
    /// The standing of the cache when the fetch began.
    pub(super) standing: Standing,
    /// The jitter of the token that this fetch obtains, in 0–1.
    pub(super) draw: f64,
}

/// The time of a fetch, and its right to send a token request.
pub(super) struct Schedule {
    /// By the monotonic clock. The time in the queue does not count: it moves the deadline.
    deadline: Duration,
    turn: Option<Turn>,
    /// The state of the client when the token request was sent.
    sent: Option<Start>,
}

impl Schedule {
    pub(super) fn new(deadline: Duration) -> Mutex<Self> {
        Mutex::new(Self {
            deadline,
            turn: None,
            sent: None,
        })
    }
}

/// The result of a fetch.
pub(super) struct Fetched {
    /// The time before the request was sent, or before the token was loaded from the store.
    pub(super) requested_at: Now,
    pub(super) result: Result<TokenResponse, Error>,
    /// Whether another process had requested the token.
    pub(super) from_store: bool,
}

impl Fetched {
    pub(super) fn failed(at: Now, error: Error) -> Self {
        Self {
            requested_at: at,
            result: Err(error),
            from_store: false,
        }
    }
}

impl Fetch {
    pub(super) fn deadline(&self) -> Duration {
        self.schedule().deadline
    }

    /// Takes a turn if one is free. Returns whether the fetch has one.
    pub(super) fn try_turn(&self) -> bool {
        if self.schedule().turn.is_some() {
            return true;
        }
        let turn = self.client.try_turn(self.standing, self.deadline());
        let has_turn = turn.is_some();
        self.schedule().turn = turn;
        has_turn
    }

    /// Waits for a turn, unless the fetch has one. The fetch has as much time afterwards as before.
    /// The task ends if no caller needs the fetch any more.
    pub(super) async fn turn(&self) -> Result<(), Error> {
        if self.try_turn() {
            return Ok(());
        }
        let entered_at = self.clock.now().monotonic;
        let deadline = self.deadline();
        let times = Times {
            attempt: deadline.saturating_sub(entered_at),
            patience: self.patience,
        };
        let postpone = |abandoned_at| self.postpone(abandoned_at);
        let withdraw = || {
            let cache = self.cache.upgrade();
            let receivers = || self.progress.receiver_count();
            cache.is_some_and(|cache| cache.withdraw(self.number, receivers))
        };
        let turn = self.client.turn(self.standing, times, postpone, withdraw);
        // boxed, so that the task of a fetch that need not wait is not as large
        let turn = Box::pin(turn).await?;
        let waited = self.clock.now().monotonic.saturating_sub(entered_at);
        let deadline = deadline.saturating_add(waited);
        self.postpone(deadline.saturating_add(GRACE));
        let mut schedule = self.schedule();
        schedule.deadline = deadline;
        schedule.turn = Some(turn);
        Ok(())
    }

    /// Returns the turn, if the fetch has one.
    pub(super) fn release_turn(&self) {
        let turn = mem::take(&mut self.schedule().turn);
        drop(turn);
    }

    /// Returns the state of the client when the token request was sent. `None` if none was.
    pub(super) fn sent(&self) -> Option<Start> {
        self.schedule().sent
    }

    /// Sets the time at which the cache abandons the fetch.
    fn postpone(&self, abandoned_at: Duration) {
        if let Some(cache) = self.cache.upgrade() {
            cache.next_refresh.set(abandoned_at);
        }
        self.progress
            .send_modify(|progress| progress.abandoned_at = abandoned_at);
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a token from the source, in its turn.
    ///
    /// A connection that fails before a response may have been a pooled connection that the server
    /// had just closed. The request is then repeated once, immediately.
    pub(super) async fn run(&self) -> Fetched {
        if let Err(error) = self.turn().await {
            return Fetched::failed(self.clock.now(), error);
        }
        let deadline = {
            let mut schedule = self.schedule();
            schedule.sent = schedule.turn.as_ref().map(|turn| turn.start);
            schedule.deadline
        };
        if let Some(cache) = self.cache.upgrade() {
            cache.counters.count_token_request();
        }
        let started = self.clock.now();
        let attempts = async {
            let requested_at = self.clock.now();
            match self.call_source().await {
                Err(error) if error.kind() == ErrorKind::Connection => {
                    events::connection_retried(&error);
                    let requested_at = self.clock.now();
                    (requested_at, self.call_source().await)
                }
                result => (requested_at, result),
            }
        };
        let attempts = self.clock.before(deadline, attempts);
        let (requested_at, result) =
            catch_panic(ErrorKind::Panicked, "the token source panicked", attempts)
                .await
                .unwrap_or_else(|panicked| Some((started, Err(panicked))))
                .unwrap_or_else(|| (started, Err(self.timed_out())));
        Fetched {
            requested_at,
            result,
            from_store: false,
        }
    }

    /// Calls the source when polled, so that a panic of the call itself is caught as well.
    async fn call_source(&self) -> Result<TokenResponse, Error> {
        let attempt = AttemptTime::new(self.clock.clone(), self.deadline());
        let fetched = attempt.scope(async { self.source.fetch(&self.request).await });
        fetched.await?.within_bounds()
    }

    fn timed_out(&self) -> Error {
        let within = match self.timeout {
            Some(timeout) => format!("within {:.1} s, the attempt timeout", timeout.as_secs_f64()),
            None => "within half of the time that the current token remains usable".to_owned(),
        };
        Error::new(
            ErrorKind::Timeout,
            format!("the token request received no response {within}"),
        )
    }
}
