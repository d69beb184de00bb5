//! Single flight: at most one fetch at a time, whose outcome, success or failure, every waiter
//! receives.
//!
//! A fetch runs in a task of its own: a dropped caller neither stops nor repeats it. The task does
//! not hold the cache: when the last handle is dropped, the task ends.

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    fetch::{Fetch, Fetched, catch_panic},
    inner::{Inner, Issued},
    runtime::Runtime,
    shared_store::{self, Unsaved},
    state::{Begun, Join, Outcome, RefreshState, Waiter},
};
use crate::{Error, ErrorKind, shared_store::SharedTokenStore, time::Now};

/// The maximum number of fetches that a waiter joins, one after another. A fetch is abandoned, for
/// instance, when the runtime that drives it ends.
const MAX_JOINS: usize = 8;

/// The maximum time to save a token after an attempt.
const SAVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Fetches a token and, to keep the token warm, the next ones.
struct RefreshTask {
    cache: Weak<Inner>,
    store: Option<Arc<dyn SharedTokenStore>>,
    number: u64,
    fetch: Fetch,
    /// If it is dropped without a value, the waiters learn that the fetch has no outcome.
    outcome: watch::Sender<Option<Outcome>>,
}

impl RefreshTask {
    async fn run(self) {
        let mut task = Some(self);
        while let Some(current) = task {
            task = current.run_once().await;
        }
    }

    /// Fetches a token, records it in the cache, wakes the waiters, saves the token for other
    /// processes and emits the event. If the cache is kept warm, sleeps until the time of the next
    /// refresh, and returns its task.
    async fn run_once(self) -> Option<Self> {
        let (fetched, shared) = match &self.store {
            None => (self.fetch.run().await, None),
            Some(store) => self.fetch_with(store).await,
        };
        let cache = self.cache.upgrade()?;
        let save = shared
            .is_some()
            .then(|| to_save(&cache, &fetched))
            .flatten();
        let mut completion = cache.complete(self.number, fetched, self.fetch.draw);
        let keep_warm = cache.keep_warm;
        drop(cache);
        self.outcome.send_replace(Some(completion.outcome.clone()));
        completion.publish();
        if let Some(shared) = shared {
            // a panic must not end the refreshes of a cache that is kept warm
            let save = Box::pin(shared.save(save, completion.hold_back()));
            let _ = catch_panic(ErrorKind::Panicked, "saving the token panicked", save).await;
        }
        let Self {
            cache,
            number,
            fetch: Fetch { clock, .. },
            outcome,
            ..
        } = self;
        // a caller that flushes need not wait for the next fetch
        drop(outcome);
        // a subscriber that panics must not end the refreshes of a cache that is kept warm
        let subscriber = "a subscriber of tracing events panicked";
        let _ = catch_panic(ErrorKind::Panicked, subscriber, async { completion.emit() }).await;
        let next = completion.next.filter(|_| keep_warm)?;
        clock.sleep_until(next).await;
        cache.upgrade()?.begin_next(number)
    }
}

impl RefreshTask {
    /// Fetches a token with the shared store. A panic outside the store and the source, such as one
    /// of a subscriber of tracing events, is a failed fetch, which backs off.
    async fn fetch_with(&self, store: &Arc<dyn SharedTokenStore>) -> (Fetched, Option<Unsaved>) {
        let started = self.fetch.clock.now();
        // boxed, so that the task of a cache without a store is not as large
        let fetch = Box::pin(shared_store::fetch(&self.fetch, store, &self.cache));
        let fetched = catch_panic(ErrorKind::Panicked, "fetching the token panicked", fetch).await;
        fetched.unwrap_or_else(|error| {
            let failed = Fetched {
                requested_at: started,
                result: Err(error),
                from_store: false,
            };
            (failed, None)
        })
    }
}

/// Returns the token to save for other processes, if there is one.
fn to_save(cache: &Inner, fetched: &Fetched) -> Option<crate::shared_store::SharedToken> {
    let response = fetched
        .result
        .as_ref()
        .ok()
        .filter(|_| !fetched.from_store)?;
    cache.worth_sharing(response.clone(), fetched.requested_at)
}

impl Inner {
    /// Applies `read` to this thread's copy of the current token, if the token is usable. If it is
    /// stale, a refresh starts in the background.
    #[inline(always)]
    pub(super) fn hit<R>(self: &Arc<Self>, now: Now, read: impl FnOnce(&Issued) -> R) -> Option<R> {
        let (found, is_stale) = self.slot.usable(now, |cached| {
            (read(cached.token.mine()), now.reached(cached.life.stale_at))
        })?;
        if is_stale {
            self.refresh_in_background(now);
        }
        Some(found)
    }

    /// Waits for the token of the fetch in flight, or of a new one. Returns what `read` makes of it.
    pub(super) async fn wait<R>(self: &Arc<Self>, read: impl Fn(&Issued) -> R) -> Result<R, Error> {
        for _ in 0..MAX_JOINS {
            // a waiter needs a timer, even if another runtime drives the fetch
            Runtime::current()?;
            let mut waiter = match self.join(&read)? {
                Joined::Token(token) => return Ok(token),
                Joined::Waiter(waiter) => waiter,
            };
            let finished = pin!(waiter.outcome.wait_for(Option::is_some));
            if let Some(Ok(outcome)) = self.clock.before(waiter.abandoned_at, finished).await
                && let Some(outcome) = outcome.as_ref()
            {
                let fetched = outcome.as_ref().map_err(Error::clone)?;
                let now = self.clock.now();
                // thousands of waiters may wake at the same time: each thread reads its own copy
                let mine = self.slot.usable(now, |cached| read(cached.token.mine()));
                if let Some(token) = mine {
                    return Ok(token);
                }
                // this waiter may be polled long after the token was received
                if !now.reached(fetched.usable_until) {
                    return Ok(read(&self.issue(fetched.token.clone())));
                }
            }
        }
        Err(Error::new(
            ErrorKind::NoRuntime,
            format!(
                "{MAX_JOINS} token requests in a row ended before a waiter could use their \
                 outcome; keep the tokio runtime that started them running"
            ),
        ))
    }

    fn join<R>(self: &Arc<Self>, read: impl Fn(&Issued) -> R) -> Result<Joined<R>, Error> {
        let now = self.clock.now();
        let mut state = self.state();
        // another caller may have obtained a token since the read without the lock
        if let Some(token) = self.slot.usable(now, |cached| read(cached.token.mine())) {
            return Ok(Joined::Token(token));
        }
        match state.join(now) {
            Join::Wait(waiter) => Ok(Joined::Waiter(waiter)),
            Join::BackOff(error) => Err(error),
            Join::Begin => Ok(Joined::Waiter(self.begin(&mut state, now)?)),
        }
    }

    /// Starts a refresh of a stale token, unless a fetch is in flight, the last one failed too
    /// recently, or there is no runtime.
    #[cold]
    pub(super) fn refresh_in_background(self: &Arc<Self>, now: Now) {
        if !self.next_refresh.is_reached(now) {
            return;
        }
        let mut state = self.state();
        if self.slot.is_stale(now) && matches!(state.join(now), Join::Begin) {
            // outside a runtime no refresh starts: the next read inside a runtime starts it
            let _ = self.begin(&mut state, now);
        }
    }

    /// Starts a fetch.
    pub(super) fn begin(
        self: &Arc<Self>,
        state: &mut RefreshState,
        now: Now,
    ) -> Result<Waiter, Error> {
        let runtime = Runtime::current()?;
        let fetch = self.fetch(now);
        let begun = state.begin(fetch.deadline, self.store.is_some());
        let waiter = begun.waiter.clone();
        let task = self.task(fetch, begun);
        state.set_task(runtime.spawn(task.run()));
        Ok(waiter)
    }

    /// Starts the next fetch of the task whose last one was `number`.
    fn begin_next(self: &Arc<Self>, number: u64) -> Option<RefreshTask> {
        let fetch = self.fetch(self.clock.now());
        let saves = self.store.is_some();
        let mut state = self.state();
        let begun = state.begin_next(number, fetch.deadline, saves)?;
        Some(self.task(fetch, begun))
    }

    fn fetch(&self, now: Now) -> Fetch {
        let allowed = self.policy.attempt(self.slot.usable_for(now));
        let timeout = self.policy.attempt(None);
        Fetch {
            source: Arc::clone(&self.source),
            request: self.request.clone(),
            clock: self.clock.clone(),
            counters: Arc::clone(&self.counters),
            deadline: now.monotonic + allowed,
            timeout: (allowed == timeout).then_some(timeout),
            draw: fastrand::f64(),
        }
    }

    fn task(self: &Arc<Self>, fetch: Fetch, begun: Begun) -> RefreshTask {
        let Begun {
            number,
            waiter,
            outcome,
        } = begun;
        self.next_refresh.set(waiter.abandoned_at);
        RefreshTask {
            cache: Arc::downgrade(self),
            store: self.store.clone(),
            number,
            fetch,
            outcome,
        }
    }

    /// Waits until the fetch in flight has finished and its token has been saved.
    pub(super) async fn flush(&self) {
        let unfinished = || self.state().unfinished();
        let flushed = async {
            while let Some(mut outcome) = unfinished() {
                while outcome.changed().await.is_ok() {}
            }
        };
        // in a runtime that is not driven the task neither finishes nor is dropped
        let max = self.policy.attempt(None).saturating_add(SAVE_TIMEOUT);
        let end = self.clock.now().monotonic.saturating_add(max);
        let _ = self.clock.before(end, flushed).await;
    }

    /// Removes the last failure, so that no backoff applies.
    pub(super) fn clear_backoff(&self) {
        let mut state = self.state();
        if state.failure.take().is_some() {
            self.next_refresh.clear();
        }
    }
}

enum Joined<R> {
    /// Another caller has just obtained a token, of which this was read.
    Token(R),
    Waiter(Waiter),
}
