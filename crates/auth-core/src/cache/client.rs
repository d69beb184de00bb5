//! The state that all caches of one source share: the limit of token requests at once, the backoff
//! after the authorization server denied the client, and the looks for changed credentials.

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    panics::catch_panic,
    policy::RefreshPolicy,
    runtime::{Runtime, Task},
    turns::{GRACE, Turns},
};
use crate::{
    Error, ErrorKind, TokenSource, events,
    time::{AnyClock, Now},
};

/// The minimum time between two looks whether the credentials have changed.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// From the third look in a row that finds a change on, the interval doubles up to this maximum: the
/// changes end no failure.
const MAX_LOOK_INTERVAL: Duration = Duration::from_secs(300);
/// The maximum time of one look.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// A fetch waits for its turn this much longer than an attempt takes if the token endpoint answers
/// no token request of the source in the meantime. It is longer than the time after which turns
/// that are never returned end, and after which fetches that do not run are overtaken.
const PATIENCE: Duration = Duration::from_secs(2);
/// A waiting fetch looks this often whether those before it run.
const BETWEEN_POLLS: Duration = Duration::from_secs(1);

/// The codes of denials that concern one token request, even with status 401.
const OF_REQUEST: [&str; 5] = [
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_grant",
    "unsupported_grant_type",
];

pub(super) struct Client {
    source: Arc<dyn TokenSource>,
    clock: AnyClock,
    /// The number of changes of the credentials that were found.
    credentials: AtomicU64,
    state: Mutex<State>,
}

struct State {
    turns: Turns,
    /// `None` after a success.
    backoff: Option<ClientBackoff>,
    /// The number of denials of the client that started or lengthened a backoff.
    denials: u64,
    /// The last time at which the token endpoint answered, by the monotonic clock.
    answered_at: Duration,
    next_look: Duration,
    /// The number of looks in a row that found a change.
    changes_in_a_row: u32,
    look: Option<Task>,
    /// The number of tokens that were issued to any cache.
    issued: u64,
    /// Whether one of them was issued for the current credentials.
    has_issued: bool,
}

/// The backoff of all caches after a denial of the client.
struct ClientBackoff {
    error: Error,
    in_a_row: u32,
    next_attempt: Duration,
    /// Whether only caches without a proof of the credentials back off: the denied cache has none,
    /// and other caches were issued tokens for the same credentials.
    spares_proven: bool,
}

/// The right to send a token request. It is returned on drop.
pub(super) struct Turn {
    client: Arc<Client>,
    number: u64,
    pub(super) start: Start,
}

/// The state of the client when a token request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    denials: u64,
    pub(super) credentials: u64,
    pub(super) is_proven: bool,
}

/// A fetch that wants a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// How long the token request may take.
    pub(super) attempt: Duration,
    /// Whether its cache was issued a token for the current credentials.
    pub(super) is_proven: bool,
}

/// A fetch in the queue.
struct Place<'a> {
    client: &'a Arc<Client>,
    number: Option<u64>,
    candidate: Candidate,
}

/// Returns whether the authorization server denied the client, whatever token it requested.
pub(super) fn is_denial_of_client(error: &Error) -> bool {
    if error.is_transient() {
        return false;
    }
    match error.error_code() {
        Some("invalid_client" | "unauthorized_client") => true,
        Some(code) if OF_REQUEST.contains(&code) => false,
        _ => error.status() == Some(http::StatusCode::UNAUTHORIZED),
    }
}

/// Returns whether a failure may end because the credentials change.
pub(super) fn may_depend_on_credentials(error: &Error) -> bool {
    !error.is_transient() || error.kind() == ErrorKind::Configuration
}

impl Client {
    pub(super) fn new(source: Arc<dyn TokenSource>, clock: AnyClock) -> Arc<Self> {
        Arc::new(Self {
            source,
            clock,
            credentials: AtomicU64::new(0),
            state: Mutex::new(State {
                turns: Turns::new(),
                backoff: None,
                denials: 0,
                answered_at: Duration::ZERO,
                next_look: Duration::ZERO,
                changes_in_a_row: 0,
                look: None,
                issued: 0,
                has_issued: false,
            }),
        })
    }

    pub(super) fn source(&self) -> &Arc<dyn TokenSource> {
        &self.source
    }

    /// Sets the maximum number of token requests in flight at once.
    pub(super) fn set_limit(&self, limit: usize) {
        self.change(|state| {
            state.turns.set_limit(limit);
            state.turns.next()
        });
    }

    /// Returns the number of changes of the credentials that were found.
    pub(super) fn credentials(&self) -> u64 {
        self.credentials.load(Relaxed)
    }

    /// Returns the error that callers of a cache receive while all caches back off after a denial of
    /// the client.
    pub(super) fn backing_off(&self, now: Now, is_proven: bool) -> Option<Error> {
        self.state().backing_off(now.monotonic, is_proven)
    }

    /// Returns the number of tokens that were issued to any cache.
    pub(super) fn issued(&self) -> u64 {
        self.state().issued
    }

    /// Returns the last denial of the client, if there was no success since, and the number of
    /// consecutive denials.
    pub(super) fn last_denial(&self, now: Now) -> Option<(Error, u32)> {
        let state = self.state();
        let denied = state.backoff.as_ref()?;
        let error = denied.left(now.monotonic);
        let error = error.unwrap_or_else(|| denied.error.clone().with_next_attempt(Duration::ZERO));
        Some((error, denied.in_a_row))
    }

    /// Takes a turn if it is free, for a token request with this `deadline`.
    pub(super) fn try_turn(self: &Arc<Self>, deadline: Duration, is_proven: bool) -> Option<Turn> {
        let now = self.clock.now().monotonic;
        let mut state = self.state();
        if state.backing_off(now, is_proven).is_some() {
            return None;
        }
        let number = state.turns.take(None, now, ends_at(deadline))?;
        Some(self.turn_of(&state, number, is_proven))
    }

    /// Waits for a turn. `postpone` receives the time
    /// at which the fetch is abandoned if nothing is heard of it; `patience` is the attempt timeout.
    ///
    /// # Errors
    /// The denial of the client, if all caches back off meanwhile. A timeout, if the token endpoint
    /// answers no token request of this source for longer than an attempt takes.
    pub(super) async fn turn(
        self: &Arc<Self>,
        candidate: Candidate,
        patience: Duration,
        postpone: impl Fn(Duration),
    ) -> Result<Turn, Error> {
        let mut place = Place {
            client: self,
            number: None,
            candidate,
        };
        let entered_at = self.clock.now().monotonic;
        let mut announced = Duration::ZERO;
        loop {
            let (answered_at, look_again_at) = {
                let state = self.state();
                (state.answered_at, state.turns.look_again_at())
            };
            let since = entered_at.max(answered_at);
            let gives_up_at = since.saturating_add(patience).saturating_add(PATIENCE);
            if gives_up_at > announced {
                postpone(gives_up_at.saturating_add(GRACE));
                announced = gives_up_at;
            }
            let taken = poll_fn(|cx| place.poll(cx));
            // the fetches that come first may stop running at any time, and then nothing wakes this one
            let next_poll = self.clock.now().monotonic.saturating_add(BETWEEN_POLLS);
            let until = gives_up_at.min(look_again_at).min(next_poll);
            if let Some(taken) = self.clock.before(until, taken).await {
                return taken;
            }
            let is_answered = self.state().answered_at > answered_at;
            if self.clock.now().monotonic >= gives_up_at && !is_answered {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "the token request waited for its turn, and the token endpoint responded to no \
                     other token request of this client within the attempt timeout",
                ));
            }
        }
    }

    /// Records that the token endpoint, or the network, answered a token request.
    pub(super) fn answered(&self, error: Option<&Error>) {
        if error.is_some_and(|error| error.kind() == ErrorKind::Timeout) {
            return;
        }
        let now = self.clock.now().monotonic;
        self.change(|state| {
            state.answered_at = now;
            match error {
                None => {
                    state.issued += 1;
                    state.has_issued = true;
                    state.backoff = None;
                    state.turns.one_at_a_time = false;
                }
                // the client was not denied
                Some(error) if !error.is_transient() => state.turns.one_at_a_time = false,
                Some(_) => {}
            }
            state.turns.next()
        });
    }

    /// Records a denial of the client by a token request that was sent at `start`. Returns the time
    /// of the next attempt of any cache, or `None` if the credentials have changed since.
    ///
    /// The requests that were in flight together count as one denial.
    pub(super) fn denied(
        &self,
        start: Start,
        error: &Error,
        policy: &RefreshPolicy,
    ) -> Option<Duration> {
        if start.credentials != self.credentials() {
            return None;
        }
        let now = self.clock.now().monotonic;
        let draw = fastrand::f64();
        let mut next_attempt = now;
        self.change(|state| {
            state.answered_at = now;
            state.turns.one_at_a_time = true;
            let before = state.backoff.as_ref();
            let is_new = start.denials == state.denials || before.is_none();
            let in_a_row = before.map_or(0, |before| before.in_a_row);
            let in_a_row = in_a_row.saturating_add(u32::from(is_new));
            let wait = policy.backoff(error, in_a_row, None, draw);
            next_attempt = now.saturating_add(wait);
            if let Some(before) = before
                && !is_new
            {
                next_attempt = match error.server_retry_after() {
                    Some(_) => next_attempt.max(before.next_attempt),
                    None => before.next_attempt,
                };
            }
            state.denials += u64::from(is_new);
            let spares_proven = !start.is_proven && state.has_issued;
            state.backoff = Some(ClientBackoff {
                error: error.clone(),
                in_a_row,
                next_attempt,
                spares_proven,
            });
            // the waiting fetches fail with this error
            state.turns.all()
        });
        Some(next_attempt)
    }

    /// Ends the backoff.
    pub(super) fn resume(&self) {
        self.change(|state| {
            state.backoff = None;
            state.turns.next()
        });
    }

    /// Looks in the background whether the credentials have changed, at most once a second. If they
    /// have, failures that may depend on them no longer back off. Outside a runtime nothing happens.
    pub(super) fn look(self: &Arc<Self>) {
        let Ok(runtime) = Runtime::current() else {
            return;
        };
        let now = self.clock.now().monotonic;
        let end = now.saturating_add(LOOK_TIMEOUT);
        {
            let mut state = self.state();
            if now < state.next_look {
                return;
            }
            // until the look has finished; in a runtime that is not driven it never does
            state.next_look = end.saturating_add(GRACE);
        }
        let (client, source) = (Arc::downgrade(self), Arc::clone(&self.source));
        let clock = self.clock.clone();
        let look = runtime.spawn(async move {
            let changed = clock.before(end, async { source.credentials_changed().await });
            let what = "looking for changed credentials panicked";
            let changed = catch_panic(ErrorKind::Panicked, what, changed).await;
            if let Some(client) = client.upgrade() {
                client.looked(now, matches!(changed, Ok(Some(true))));
            }
        });
        let finished = self.state().look.replace(look);
        if let Some(finished) = finished {
            finished.abort();
        }
    }

    fn looked(&self, started: Duration, has_changed: bool) {
        if has_changed {
            self.credentials.fetch_add(1, Relaxed);
        }
        self.change(|state| {
            let interval = match has_changed {
                true => LOOK_INTERVAL
                    .saturating_mul(1 << state.changes_in_a_row.saturating_sub(2).min(16)),
                false => LOOK_INTERVAL,
            };
            state.next_look = started.saturating_add(interval.min(MAX_LOOK_INTERVAL));
            state.changes_in_a_row = match has_changed {
                true => state.changes_in_a_row.saturating_add(1),
                false => 0,
            };
            if has_changed {
                state.backoff = None;
                state.has_issued = false;
            }
            state.turns.next()
        });
        if has_changed {
            events::credentials_changed();
        }
    }

    fn turn_of(self: &Arc<Self>, state: &State, number: u64, is_proven: bool) -> Turn {
        Turn {
            client: Arc::clone(self),
            number,
            start: Start {
                denials: state.denials,
                credentials: self.credentials(),
                is_proven,
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes after the lock.
    fn change(&self, change: impl FnOnce(&mut State) -> Vec<Waker>) {
        let woken = change(&mut self.state());
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = state.look.take() {
            look.abort();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl State {
    /// Returns the error until the next attempt of a cache is due.
    fn backing_off(&self, now: Duration, is_proven: bool) -> Option<Error> {
        let denied = self.backoff.as_ref()?;
        match is_proven && denied.spares_proven {
            true => None,
            false => denied.left(now),
        }
    }
}

impl ClientBackoff {
    /// Returns the error until the next attempt is due.
    fn left(&self, now: Duration) -> Option<Error> {
        let left = self.next_attempt.checked_sub(now)?;
        (!left.is_zero()).then(|| self.error.clone().with_next_attempt(left))
    }
}

impl Place<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Turn, Error>> {
        let waker = cx.waker().clone();
        let now = self.client.clock.now().monotonic;
        let mut state = self.client.state();
        let Candidate { attempt, is_proven } = self.candidate;
        if let Some(error) = state.backing_off(now, is_proven) {
            return Poll::Ready(Err(error));
        }
        let ends_at = ends_at(now.saturating_add(attempt));
        if let Some(number) = state.turns.take(self.number, now, ends_at) {
            self.number = None;
            return Poll::Ready(Ok(self.client.turn_of(&state, number, is_proven)));
        }
        let (number, replaced) = state.turns.wait(self.number, waker);
        self.number = Some(number);
        // a turn may have ended that its holder did not return
        let next = state.turns.next();
        drop(state);
        drop(replaced);
        next.into_iter()
            .filter(|next| !next.will_wake(cx.waker()))
            .for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut left = None;
            self.client.change(|state| {
                left = state.turns.leave(number);
                state.turns.next()
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.client.clock.now().monotonic;
        self.client.change(|state| {
            state.turns.release(self.number, now);
            state.turns.next()
        });
    }
}

/// Returns the time at which the turn of a token request with this deadline ends even if it was not
/// returned.
fn ends_at(deadline: Duration) -> Duration {
    deadline.saturating_add(GRACE)
}
