//! The state of a cache's token requests: the fetch in flight, and the failure of the last one.

use std::time::Duration;

use tokio::sync::watch;

use super::{
    changes::Publisher, denials::Standing, policy::RejectionKind, rejections::Rejections,
    runtime::Task, turn_order::Rank, turns::GRACE,
};
use crate::{
    AccessToken, Error,
    time::{AnyClock, Now},
};

/// The time between two lost fetches that are given back to a rejection budget. It is the first backoff
/// after a failure.
const BETWEEN_LOST: Duration = Duration::from_secs(1);

/// The result of a fetch, as every waiter receives it.
pub(super) type Outcome = Result<FetchedToken, Error>;

/// The progress of a fetch, as its waiters see it.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// The time at which the cache abandons the fetch, by the monotonic clock. It moves while the
    /// fetch waits for its turn.
    pub(super) abandoned_at: Duration,
    /// `None` until the fetch has finished.
    pub(super) outcome: Option<Outcome>,
}

/// A fetched token. A waiter that is polled late compares `usable_until` with the clock.
#[derive(Clone, Debug)]
pub(super) struct FetchedToken {
    pub(super) token: AccessToken,
    pub(super) usable_until: Now,
}

/// The state that the cache's lock protects. The lock is held for an instant, never across I/O.
///
/// Each of thousands of keys has one. What a cache seldom has is in a box.
#[derive(Debug, Default)]
pub(super) struct RefreshState {
    /// `None` once the last fetch has finished, unless its task continues to keep the token warm.
    last: Option<Box<LastFetch>>,
    /// The number of fetches so far.
    fetches: u64,
    /// The number of tokens received so far.
    pub(super) tokens_received: u64,
    /// The number of different tokens so far.
    pub(super) generation: u64,
    pub(super) failure: Option<Box<Failure>>,
    /// The number of changes of the credentials before the token request that was last answered with
    /// a token, or before a token was loaded from the shared store. `None` if there was none, or if the
    /// client was denied since.
    pub(super) proof: Option<u64>,
    /// The series of denials in which the client was last denied in this cache.
    pub(super) denied_in: Option<u64>,
    /// `None` before the first rejection.
    rejections: Option<Box<Rejections>>,
    /// The number of tokens that another process had requested.
    pub(super) tokens_from_store: u64,
    /// The outcome of the last fetch, with a shared store. Its sender is dropped once the token has
    /// been saved.
    unsaved: Option<watch::Receiver<Progress>>,
    /// `None` until the first subscription to token changes.
    pub(super) changes: Option<Publisher>,
}

/// The fetch that started last.
#[derive(Debug)]
struct LastFetch {
    number: u64,
    /// `None` once the fetch has finished.
    waiter: Option<Waiter>,
    /// The kind of the rejection that caused the fetch. `Bare` if a rejection joined the fetch, of
    /// either kind: its token may have been issued before that rejection. `None` if no request whose
    /// token was rejected waits for the fetch.
    replaces_rejected: Option<RejectionKind>,
    /// Whether a rejection joined the fetch, which had begun before: its token may be as old as the
    /// rejected one.
    is_joined_by_rejection: bool,
    /// The rejection budget to which a failure of the fetch gives back what it took.
    returns_to: Option<RejectionKind>,
    /// The time of the rejection that caused the fetch, by the monotonic clock.
    rejected_at: Option<Duration>,
    /// `None` until the task has been spawned. The handle of a finished task would keep 2 kB allocated.
    task: Option<Task>,
}

/// Waits for the outcome of a fetch.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) progress: watch::Receiver<Progress>,
}

/// The failure of the last fetch.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) in_a_row: u32,
    pub(super) next_attempt: Duration,
    /// The time of the next attempt if no token were usable.
    pub(super) next_without_token: Duration,
    /// Whether the client was denied: the client decides when this cache backs off.
    pub(super) of_client: bool,
    /// Whether the last token request that was sent was a slow failure.
    pub(super) is_slow: bool,
    /// The number of the last token request of this cache in which the client was denied.
    pub(super) denied_request: Option<u64>,
    /// Whether such a denial concerned this cache alone. The cache then backs off by itself as well.
    pub(super) is_excused: bool,
    /// The number of changes of the credentials before the token request, if the failure may depend
    /// on them.
    pub(super) credentials: Option<u64>,
}

/// A fetch that is entered in the state, and has to be run.
pub(super) struct Begun {
    pub(super) number: u64,
    pub(super) waiter: Waiter,
    /// If it is dropped without an outcome, the waiters learn that the fetch has none.
    pub(super) progress: watch::Sender<Progress>,
}

impl Waiter {
    /// Returns whether the fetch ended without an outcome, was dropped with its runtime, or takes
    /// too long.
    fn is_abandoned(&self, now: Now) -> bool {
        now.monotonic >= self.abandoned_at() || self.progress.has_changed().is_err()
    }

    pub(super) fn abandoned_at(&self) -> Duration {
        self.progress.borrow().abandoned_at
    }

    /// Waits until the fetch has finished or is abandoned. Then the progress tells which.
    pub(super) async fn finished(&mut self, clock: &AnyClock) {
        loop {
            let abandoned_at = self.abandoned_at();
            let changed = self.progress.wait_for(|progress| {
                progress.outcome.is_some() || progress.abandoned_at != abandoned_at
            });
            let changed = clock.before(abandoned_at, changed).await;
            let is_postponed = changed.map(|changed| match changed {
                Ok(progress) => progress.outcome.is_none(),
                Err(_dropped) => false,
            });
            if !is_postponed.unwrap_or_else(|| self.abandoned_at() > abandoned_at) {
                return;
            }
        }
    }
}

impl RefreshState {
    /// Returns what the cache remembers of rejections.
    pub(super) fn rejections(&mut self) -> &mut Rejections {
        self.rejections.get_or_insert_default()
    }

    /// Returns the number of requests that were replayed.
    pub(super) fn replays(&self) -> u64 {
        self.rejections.as_ref().map_or(0, |all| all.replays)
    }

    /// Returns the fetch in flight, if there is one.
    pub(super) fn in_flight(&self, now: Now) -> Option<&Waiter> {
        let waiter = self.last.as_ref()?.waiter.as_ref()?;
        (!waiter.is_abandoned(now)).then_some(waiter)
    }

    /// Returns the error that callers receive until the next attempt of this cache is due, unless
    /// the `credentials` have changed since. A denial of the client is not among them.
    pub(super) fn backing_off(&self, now: Now, credentials: u64) -> Option<Error> {
        self.backing_off_until(now, credentials, |failure| failure.next_attempt)
    }

    /// Like [`backing_off`](Self::backing_off), as if no token were usable.
    pub(super) fn backing_off_without_token(&self, now: Now, credentials: u64) -> Option<Error> {
        self.backing_off_until(now, credentials, |failure| failure.next_without_token)
    }

    fn backing_off_until(
        &self,
        now: Now,
        credentials: u64,
        next_attempt: impl FnOnce(&Failure) -> Duration,
    ) -> Option<Error> {
        let failure = self.failure.as_ref().filter(|failure| !failure.of_client)?;
        if failure.credentials.is_some_and(|then| then != credentials) {
            return None;
        }
        let wait = next_attempt(failure).checked_sub(now.monotonic)?;
        (!wait.is_zero()).then(|| failure.error.clone().with_next_attempt(wait))
    }

    /// Returns the standing of this cache, with these credentials. `is_default`: it is the source's
    /// own cache.
    pub(super) fn standing(&self, credentials: u64, is_default: bool) -> Standing {
        let is_slow = self.failure.as_ref().is_some_and(|f| f.is_slow);
        Standing {
            is_proven: self.proof == Some(credentials),
            denied_in: self.denied_in,
            rank: match self.tokens_received {
                _ if is_default => Rank::Default,
                _ if is_slow => Rank::Slow,
                0 => Rank::New,
                _ => Rank::Established,
            },
        }
    }

    /// Returns whether a caller waits for fetch `number`, of whose progress there are so many
    /// receivers. An abandoned fetch has callers.
    pub(super) fn has_callers(&self, number: u64, receivers: usize) -> bool {
        let last = self.last.as_ref().filter(|last| last.number == number);
        let Some(waiter) = last.and_then(|last| last.waiter.as_ref()) else {
            return true;
        };
        let is_same = |unsaved: &watch::Receiver<_>| unsaved.same_channel(&waiter.progress);
        let own = 1 + usize::from(self.unsaved.as_ref().is_some_and(is_same));
        receivers > own
    }

    /// Enters a new fetch. The caller spawns a task for it and calls [`set_task`](Self::set_task),
    /// before the lock is released.
    pub(super) fn begin(&mut self, deadline: Duration, saves: bool) -> Begun {
        self.abort();
        self.enter(deadline, saves, None)
    }

    /// Enters the next fetch of the task that keeps the token warm. Returns `None` if a read
    /// started another fetch in the meantime, whose task now keeps the token warm.
    pub(super) fn begin_next(
        &mut self,
        number: u64,
        deadline: Duration,
        saves: bool,
    ) -> Option<Begun> {
        let last = self.last.take_if(|last| last.number == number)?;
        Some(self.enter(deadline, saves, last.task))
    }

    fn enter(&mut self, deadline: Duration, saves: bool, task: Option<Task>) -> Begun {
        let (sender, progress) = watch::channel(Progress {
            abandoned_at: deadline.saturating_add(GRACE),
            outcome: None,
        });
        self.fetches += 1;
        let waiter = Waiter { progress };
        self.unsaved = saves.then(|| waiter.progress.clone());
        self.last = Some(Box::new(LastFetch {
            number: self.fetches,
            waiter: Some(waiter.clone()),
            replaces_rejected: None,
            is_joined_by_rejection: false,
            returns_to: None,
            rejected_at: None,
            task,
        }));
        Begun {
            number: self.fetches,
            waiter,
            progress: sender,
        }
    }

    /// Sets the task that runs the last fetch.
    pub(super) fn set_task(&mut self, task: Task) {
        if let Some(last) = &mut self.last {
            last.task = Some(task);
        }
    }

    /// Records that fetch `number` has finished. `keeps_warm`: its task continues.
    pub(super) fn finish(&mut self, number: u64, keeps_warm: bool) {
        match self.last.as_mut().filter(|last| last.number == number) {
            Some(last) if keeps_warm => last.waiter = None,
            Some(_) => self.last = None,
            None => {}
        }
    }

    /// Returns whether fetch `number` started last. An abandoned fetch did not. After
    /// [`finish`](Self::finish) the answer is no, unless the task of the fetch continues.
    pub(super) fn is_last(&self, number: u64) -> bool {
        self.last.as_ref().is_some_and(|last| last.number == number)
    }

    /// Records that a rejection of this kind caused the last fetch. `returns_to`: the rejection budget
    /// to which a failure gives back what the fetch took.
    pub(super) fn set_caused_by_rejection(
        &mut self,
        kind: RejectionKind,
        returns_to: Option<RejectionKind>,
        now: Now,
    ) {
        if let Some(last) = &mut self.last {
            last.replaces_rejected = Some(kind);
            last.returns_to = returns_to;
            last.rejected_at = Some(now.monotonic);
        }
    }

    /// Gives back what the last fetch took from a rejection budget, after the fetch has failed.
    pub(super) fn give_back_budget(&mut self) {
        let taken = self.last.as_mut().and_then(|last| last.returns_to.take());
        if let Some(kind) = taken {
            self.rejections().budgets.give_back(kind);
        }
    }

    /// Gives back what the last fetch took, if the fetch was lost: its runtime has ended, or is not
    /// driven. No failure of it backs off, so at most one in each [`BETWEEN_LOST`] is given back.
    pub(super) fn give_back_lost(&mut self, now: Now) {
        let is_lost = self.in_flight(now).is_none();
        let last = self.last.as_ref().filter(|last| last.waiter.is_some());
        let rejected_at = last.and_then(|last| last.rejected_at);
        let lost_from = rejected_at.map(|at| at.saturating_add(BETWEEN_LOST));
        if is_lost && lost_from.is_some_and(|lost_from| now.monotonic >= lost_from) {
            self.give_back_budget();
        }
    }

    /// Records that a request whose token was rejected waits for the last fetch, which had begun
    /// before.
    pub(super) fn set_joined_by_rejection(&mut self) {
        if let Some(last) = &mut self.last
            && last.replaces_rejected.is_none()
        {
            last.replaces_rejected = Some(RejectionKind::Bare);
            last.is_joined_by_rejection = true;
        }
    }

    /// Returns whether a rejection joined the last fetch, and none caused it.
    pub(super) fn is_joined_by_rejection(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| last.is_joined_by_rejection)
    }

    /// Returns the time of the rejection that caused the last fetch, if one did.
    pub(super) fn rejected_at(&self) -> Option<Duration> {
        self.last.as_ref()?.rejected_at
    }

    /// Returns the kind of the rejection that the last fetch is on account of, if it replaces a
    /// rejected token.
    pub(super) fn replaces_rejected(&self) -> Option<RejectionKind> {
        self.last.as_ref()?.replaces_rejected
    }

    /// Returns a channel that closes when the fetch in flight has finished and its token has been
    /// saved. `None` if neither is pending.
    pub(super) fn unfinished(&self) -> Option<watch::Receiver<Progress>> {
        let waiter = self.last.as_ref().and_then(|last| last.waiter.as_ref());
        let progress = waiter.map(|waiter| &waiter.progress);
        let progress = progress.or(self.unsaved.as_ref())?;
        progress.has_changed().is_ok().then(|| progress.clone())
    }

    /// Stops the task of the last fetch: fetching, or waiting to keep the token warm.
    pub(super) fn abort(&mut self) {
        if let Some(task) = self.last.take().and_then(|last| last.task) {
            task.abort();
        }
    }
}
