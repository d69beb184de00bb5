//! What all caches of one source share: the settings, the turns, the denials of the client, and the looks
//! for changed credentials.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Waker,
    time::Duration,
};

use super::{
    credential_looks::{self, CredentialLooks},
    denials::{Denial, Denials, Standing, Start},
    policy::RefreshPolicy,
    runtime::Runtime,
    turn_order::Rank,
    turns::{OneAtATime, Turns, is_slow_failure},
};
use crate::{
    Error, ErrorKind, TokenSource, events,
    shared_store::SharedTokenStore,
    time::{AnyClock, Now},
};

pub(super) struct Client {
    source: Arc<dyn TokenSource>,
    settings: Settings,
    pub(super) clock: AnyClock,
    /// The number of changes of the credentials that were found.
    credentials: AtomicU64,
    state: Mutex<ClientState>,
}

/// The settings of all caches of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) policy: RefreshPolicy,
    pub(super) keep_warm: bool,
    pub(super) store: Option<Arc<dyn SharedTokenStore>>,
}

pub(super) struct ClientState {
    pub(super) turns: Turns,
    pub(super) denials: Denials,
    /// The last time at which the token endpoint answered, by the monotonic clock.
    pub(super) answered_at: Duration,
    looks: CredentialLooks,
}

impl Client {
    pub(super) fn new(
        source: Arc<dyn TokenSource>,
        settings: Settings,
        clock: AnyClock,
    ) -> Arc<Self> {
        Arc::new(Self {
            source,
            settings,
            clock,
            credentials: AtomicU64::new(0),
            state: Mutex::new(ClientState {
                turns: Turns::new(),
                denials: Denials::default(),
                answered_at: Duration::ZERO,
                looks: CredentialLooks::default(),
            }),
        })
    }

    pub(super) fn source(&self) -> &Arc<dyn TokenSource> {
        &self.source
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
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

    /// Returns the error that callers of a cache receive while it backs off after a denial of the
    /// client.
    pub(super) fn backing_off(&self, now: Now, standing: Standing) -> Option<Error> {
        self.state().denials.backing_off(now.monotonic, standing)
    }

    /// Returns the last denial of the client, if there was no success since, and the number of
    /// consecutive denials.
    pub(super) fn last_denial(&self, now: Now, standing: Standing) -> Option<(Error, u32)> {
        self.state().denials.last(now.monotonic, standing)
    }

    /// Records the answer to a token request that was sent at `start`, or its failure.
    pub(super) fn answered(&self, start: Start, error: Option<&Error>) {
        let now = self.clock.now().monotonic;
        self.change(|state| {
            match error {
                Some(error) => state.failed(start, error, now),
                None => state.issued_token(start, now),
            }
            state.turns.next()
        });
    }

    /// Records that a token was loaded which another process of the client was issued.
    pub(super) fn loaded(&self) {
        self.state().denials.loaded_token();
    }

    /// Records a denial of the client by a token request that was sent at `start`. `before`: the number
    /// of the last token request of the same cache that was denied so, since it was issued a token.
    pub(super) fn denied(
        &self,
        start: Start,
        error: &Error,
        policy: &RefreshPolicy,
        before: Option<u64>,
    ) -> Denial {
        let now = self.clock.now().monotonic;
        let mut denial = Denial::OldCredentials;
        self.change(|state| {
            // under the lock: a change is counted before it clears the denials
            if start.credentials != self.credentials() {
                return Vec::new();
            }
            if state.denials.excuses(start, before) {
                denial = Denial::Cache;
                state.failed(start, error, now);
                return state.turns.next();
            }
            state.answered_at = now;
            let effect = state.denials.denied(start, error, policy, now);
            state.turns.one_at_a_time = match effect.spares_proven {
                true => OneAtATime::New,
                false => OneAtATime::All,
            };
            denial = Denial::Client(effect);
            // the waiting fetches of caches that back off fail with this error
            state.turns.all()
        });
        denial
    }

    /// Ends the backoff after denials of the client.
    pub(super) fn resume(&self) {
        self.change(|state| {
            state.denials.resume();
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
        if !self.state().looks.take_due(now) {
            return;
        }
        let (clock, source) = (self.clock.clone(), Arc::clone(&self.source));
        let client = Arc::downgrade(self);
        let look = credential_looks::look(&runtime, clock, source, now, move |has_changed| {
            if let Some(client) = client.upgrade() {
                client.looked(now, has_changed);
            }
        });
        let finished = self.state().looks.set_task(look);
        if let Some(finished) = finished {
            finished.abort();
        }
    }

    fn looked(&self, started: Duration, has_changed: bool) {
        if has_changed {
            self.credentials.fetch_add(1, Relaxed);
        }
        self.change(|state| {
            state.looks.finished(started, has_changed);
            if has_changed {
                state.denials.credentials_changed();
            }
            state.turns.next()
        });
        if has_changed {
            events::credentials_changed();
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes after the lock.
    pub(super) fn change(&self, change: impl FnOnce(&mut ClientState) -> Vec<Waker>) {
        let woken = change(&mut self.state());
        woken.into_iter().for_each(Waker::wake);
    }
}

impl ClientState {
    /// Records that the token request that was sent at `start` was answered with a token.
    fn issued_token(&mut self, start: Start, now: Duration) {
        self.answered_at = now;
        if start.standing.rank == Rank::Slow {
            self.turns.recovered();
        }
        if self.denials.issued_token(start) {
            self.turns.one_at_a_time = OneAtATime::None;
        }
    }

    /// Records a failure that does not concern the client. Whether the client is still denied is known
    /// after a token only: a server may check the scope first.
    fn failed(&mut self, start: Start, error: &Error, now: Duration) {
        if is_slow_failure(error, now.saturating_sub(start.at)) {
            self.turns.failed_slowly(now);
        }
        if error.kind() != ErrorKind::Timeout {
            self.answered_at = now;
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
