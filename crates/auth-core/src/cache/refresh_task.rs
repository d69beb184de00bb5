//! Single flight: at most one fetch at a time, whose outcome, success or failure, every waiter
//! receives.
//!
//! A fetch runs in a task of its own: a dropped caller neither stops nor repeats it. Only a fetch that
//! waits for its turn is withdrawn after the last caller has left. The task does not hold the cache:
//! when the last handle is dropped, the task ends.

use std::{sync::Arc, time::Duration};

use super::{
    completion::Completion,
    credential_looks::{LOOK_INTERVAL, may_depend_on_credentials},
    denials::Standing,
    fetch::{Fetch, Fetched, Schedule},
    inner::{Inner, Issued},
    runtime::Runtime,
    shared_store::{self, Unsaved},
    slot::{CachedToken, Current},
    state::{Begun, RefreshState, Waiter},
};
use crate::{
    AccessToken, Authorization, Error, ErrorKind,
    panics::catch_panic,
    shared_store::{SharedToken, SharedTokenStore},
    time::Now,
};

/// The maximum number of fetches that a waiter joins, one after another. A fetch is abandoned, for
/// instance, when the runtime that drives it ends.
const MAX_JOINS: usize = 8;

/// The maximum number of times that a fetch goes on because a token from the shared store expired before
/// it was recorded, plus one.
const MAX_LOOKS: u32 = 2;

/// The maximum time to save a token after an attempt.
const SAVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Fetches a token and, to keep the token warm, the next ones.
struct RefreshTask {
    store: Option<Arc<dyn SharedTokenStore>>,
    fetch: Fetch,
}

/// The next step of a task that keeps a token warm.
enum NextStep {
    Fetch(Box<RefreshTask>),
    SleepUntil(Duration),
    /// Another task keeps the token warm.
    End,
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
        let Recorded {
            mut completion,
            shared,
            save,
            keep_warm,
        } = self.fetch_and_record().await?;
        // the next token request is sent in the knowledge of this one's result
        self.fetch.release_turn();
        let outcome = completion.outcome.clone();
        let progress = &self.fetch.progress;
        progress.send_modify(|progress| progress.outcome = Some(outcome));
        completion.publish();
        if let Some(shared) = shared {
            // a panic must not end the refreshes of a cache that is kept warm
            let save = Box::pin(shared.save(save, completion.hold_back()));
            let _ = catch_panic(ErrorKind::Panicked, "saving the token panicked", save).await;
        }
        let Self {
            fetch:
                Fetch {
                    number,
                    clock,
                    cache,
                    progress,
                    ..
                },
            ..
        } = self;
        // a caller that flushes need not wait for the next fetch
        drop(progress);
        // a subscriber that panics must not end the refreshes of a cache that is kept warm
        let subscriber = "a subscriber of tracing events panicked";
        let _ = catch_panic(ErrorKind::Panicked, subscriber, async { completion.emit() }).await;
        let mut next = completion.next.filter(|_| keep_warm)?;
        loop {
            clock.sleep_until(next).await;
            match cache.upgrade()?.next_step(number) {
                NextStep::Fetch(task) => return Some(*task),
                NextStep::SleepUntil(time) => next = time,
                NextStep::End => return None,
            }
        }
    }
}

/// A fetch whose result is recorded in the cache.
struct Recorded {
    completion: Completion,
    /// The remaining work in the shared store, and the token to save there.
    shared: Option<Unsaved>,
    save: Option<SharedToken>,
    keep_warm: bool,
}

impl RefreshTask {
    /// Fetches a token and records it in the cache. Returns `None` if the cache was dropped.
    ///
    /// A token from the store may expire before it is recorded. It is no reason for the fetch to fail:
    /// the fetch looks at the store once more, and then requests a token without it.
    async fn fetch_and_record(&self) -> Option<Recorded> {
        let mut looks = MAX_LOOKS;
        loop {
            let (fetched, shared) = match &self.store {
                Some(store) if looks > 0 => self.fetch_with(store).await,
                _ => (self.fetch.run().await, None),
            };
            looks = looks.saturating_sub(1);
            let cache = self.fetch.cache.upgrade()?;
            let save = shared
                .is_some()
                .then(|| to_save(&cache, &fetched))
                .flatten();
            if let Some(completion) = cache.complete(fetched, &self.fetch) {
                return Some(Recorded {
                    completion,
                    shared,
                    save,
                    keep_warm: cache.settings().keep_warm,
                });
            }
        }
    }

    /// Fetches a token with the shared store. A panic outside the store and the source, such as one
    /// of a subscriber of tracing events, is a failed fetch, which backs off.
    async fn fetch_with(&self, store: &Arc<dyn SharedTokenStore>) -> (Fetched, Option<Unsaved>) {
        let started = self.fetch.clock.now();
        // boxed, so that the task of a cache without a store is not as large
        let fetch = Box::pin(shared_store::fetch(&self.fetch, store, &self.fetch.cache));
        let fetched = catch_panic(ErrorKind::Panicked, "fetching the token panicked", fetch).await;
        fetched.unwrap_or_else(|error| (Fetched::failed(started, error), None))
    }
}

/// Returns the token to save for other processes, if there is one.
fn to_save(cache: &Inner, fetched: &Fetched) -> Option<SharedToken> {
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
        let current = self.slot.load();
        let cached = self.usable(&current, now)?;
        Some(read(cached.token.get()))
    }

    /// Returns this thread's copy of the current token, like [`hit`](Self::hit). Not inlined into the
    /// callers' code: the result is one word.
    #[inline(never)]
    pub(super) fn token(self: &Arc<Self>) -> Option<AccessToken> {
        self.hit(self.clock.now(), |issued| issued.token().clone())
    }

    /// Returns the authorization of the current token, like [`hit`](Self::hit).
    ///
    /// Neither this function nor [`copied`](Self::copied) is inlined, so that the header is cloned
    /// into the memory that the caller provides for it. A header that is moved right after it was
    /// cloned is read in wider pieces than it was written, and the processor then waits until the
    /// writes have left its store buffer: 10 ns on an AMD EPYC, as much as the rest of the read.
    #[inline(never)]
    pub(super) fn authorization(self: &Arc<Self>, now: Now) -> Option<Authorization> {
        let current = self.slot.load();
        self.copied(&current, now)
    }

    #[inline(never)]
    fn copied(self: &Arc<Self>, current: &Current<Issued>, now: Now) -> Option<Authorization> {
        let cached = self.usable(current, now)?;
        Some(cached.authorization().clone())
    }

    #[inline(always)]
    fn usable<'a>(
        self: &Arc<Self>,
        current: &'a Current<Issued>,
        now: Now,
    ) -> Option<&'a CachedToken<Issued>> {
        let cached = current.token()?;
        // no token expires before it is stale
        if cached.deadlines.stale_at.is_reached(now) && !self.is_stale_and_usable(cached, now) {
            return None;
        }
        Some(cached)
    }

    #[cold]
    fn is_stale_and_usable(self: &Arc<Self>, cached: &CachedToken<Issued>, now: Now) -> bool {
        if cached.deadlines.usable_until.is_reached(now) {
            return false;
        }
        self.refresh_in_background(now);
        true
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
            waiter.finished(&self.clock).await;
            if let Some(outcome) = &waiter.progress.borrow().outcome {
                let fetched = outcome.as_ref().map_err(Error::clone)?;
                let now = self.clock.now();
                // thousands of waiters may wake at the same time: each thread reads its own copy
                let mine = self.slot.usable(now, |cached| read(cached.token.get()));
                if let Some(token) = mine {
                    return Ok(token);
                }
                // this waiter may be polled long after the token was received, or was revoked
                let is_usable = !now.reached(fetched.usable_until);
                if is_usable && !self.slot.was_replaced(fetched.token.header()) {
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
        if let Some(token) = self.slot.usable(now, |cached| read(cached.token.get())) {
            return Ok(Joined::Token(token));
        }
        if let Some(waiter) = state.in_flight(now) {
            return Ok(Joined::Waiter(waiter.clone()));
        }
        let Some(error) = self.backing_off(&state, now) else {
            return Ok(Joined::Waiter(self.begin(&mut state, now)?));
        };
        drop(state);
        self.look_for_cause(&error);
        Err(error)
    }

    /// Looks in the background whether the cause of a failure has ended, at most once a second.
    pub(super) fn look_for_cause(&self, error: &Error) {
        if may_depend_on_credentials(error) {
            self.client.look();
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
        if !self.slot.is_stale(now) || state.in_flight(now).is_some() {
            return;
        }
        let Some(error) = self.backing_off(&state, now) else {
            // outside a runtime no refresh starts: the next read inside a runtime starts it
            let _ = self.begin(&mut state, now);
            return;
        };
        self.next_refresh.set(looks_again_at(&error, now));
        drop(state);
        self.look_for_cause(&error);
    }

    /// Starts a fetch.
    pub(super) fn begin(
        self: &Arc<Self>,
        state: &mut RefreshState,
        now: Now,
    ) -> Result<Waiter, Error> {
        let runtime = Runtime::current()?;
        let allowed = self.settings().policy.attempt(self.slot.usable_for(now));
        let deadline = now.monotonic.saturating_add(allowed);
        // the new fetch takes the place of the lost one
        state.give_back_lost(now);
        let begun = state.begin(deadline, self.settings().store.is_some());
        let waiter = begun.waiter.clone();
        let task = self.task(allowed, deadline, begun, self.standing(state));
        state.set_task(runtime.spawn(task.run()));
        Ok(waiter)
    }

    /// Starts the next fetch of the task whose last one was `number`, unless it backs off.
    fn next_step(self: &Arc<Self>, number: u64) -> NextStep {
        let now = self.clock.now();
        let allowed = self.settings().policy.attempt(self.slot.usable_for(now));
        let deadline = now.monotonic.saturating_add(allowed);
        let mut state = self.state();
        if !state.is_last(number) {
            return NextStep::End;
        }
        // only a fetch on account of a rejection fails before the token is stale, and the next
        // rejection starts the next one, within the budget
        if let Some(stale_at) = self.slot.fresh_until(now) {
            return NextStep::SleepUntil(stale_at.monotonic);
        }
        if let Some(error) = self.backing_off(&state, now) {
            drop(state);
            self.look_for_cause(&error);
            return NextStep::SleepUntil(looks_again_at(&error, now));
        }
        let standing = self.standing(&state);
        match state.begin_next(number, deadline, self.settings().store.is_some()) {
            Some(begun) => {
                let task = self.task(allowed, deadline, begun, standing);
                NextStep::Fetch(Box::new(task))
            }
            None => NextStep::End,
        }
    }

    fn task(
        self: &Arc<Self>,
        allowed: Duration,
        deadline: Duration,
        begun: Begun,
        standing: Standing,
    ) -> RefreshTask {
        let Begun {
            number,
            waiter,
            progress,
        } = begun;
        self.next_refresh.set(waiter.abandoned_at());
        let timeout = self.settings().policy.attempt(None);
        RefreshTask {
            store: self.settings().store.clone(),
            fetch: Fetch {
                number,
                source: Arc::clone(self.client.source()),
                request: self.request.clone(),
                clock: self.clock.clone(),
                client: Arc::clone(&self.client),
                cache: Arc::downgrade(self),
                progress,
                schedule: Schedule::new(deadline),
                patience: timeout,
                timeout: (allowed == timeout).then_some(timeout),
                standing,
                draw: fastrand::f64(),
            },
        }
    }

    /// Stops the task of fetch `number` while it waits for its turn, if no caller waits for the fetch
    /// and there is no token to keep. `receivers` counts the receivers of its progress, under the lock:
    /// callers join under the same lock. Returns whether it did.
    pub(super) fn withdraw(&self, number: u64, receivers: impl FnOnce() -> usize) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        let is_kept = self.settings().keep_warm && state.tokens_received > 0;
        let has_usable_token = self.slot.usable_for(now).is_some();
        let is_withdrawn = !is_kept && !has_usable_token && !state.has_callers(number, receivers());
        if is_withdrawn {
            // no token request was sent
            state.give_back_budget();
            state.abort();
        }
        is_withdrawn
    }

    /// Waits until the fetch in flight has finished and its token has been saved.
    pub(super) async fn flush(&self) {
        let unfinished = || self.state().unfinished();
        let flushed = async {
            while let Some(mut progress) = unfinished() {
                while progress.changed().await.is_ok() {}
            }
        };
        // in a runtime that is not driven the task neither finishes nor is dropped
        let max = self
            .settings()
            .policy
            .attempt(None)
            .saturating_add(SAVE_TIMEOUT);
        let end = self.clock.now().monotonic.saturating_add(max);
        let _ = self.clock.before(end, flushed).await;
    }

    /// Removes the last failure, so that no backoff applies, and ends the backoff of the client.
    pub(super) fn clear_backoff(&self) {
        self.client.resume();
        let now = self.clock.now();
        let mut state = self.state();
        state.failure = None;
        // the next read of a stale token may start a refresh, unless one is in flight
        if state.in_flight(now).is_none() {
            self.next_refresh.clear();
        }
    }
}

/// Returns the time at which the next attempt is due, or at which the next look for its cause is, by
/// the monotonic clock.
fn looks_again_at(error: &Error, now: Now) -> Duration {
    let mut wait = error.retry_after().unwrap_or_default();
    if may_depend_on_credentials(error) {
        wait = wait.min(LOOK_INTERVAL);
    }
    now.monotonic.saturating_add(wait)
}

enum Joined<R> {
    /// Another caller has just obtained a token, of which this was read.
    Token(R),
    Waiter(Waiter),
}
