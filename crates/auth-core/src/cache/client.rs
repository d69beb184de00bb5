//! The state that all caches of one source share: the turns, the denials of the client, and the looks
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
    denials::{Denials, Denied, Standing, Start},
    policy::RefreshPolicy,
    runtime::Runtime,
    turn_order::Rank,
    turns::{OneAtATime, Turns, is_slow_failure},
};
use crate::{
    AccessTokenType, Dpop, Error, ErrorKind, TokenResponse, TokenSource, events,
    time::{AnyClock, Now},
};

pub(super) struct Client {
    source: Arc<dyn TokenSource>,
    /// The key to which the tokens of the source are bound, if they are.
    dpop: Option<Dpop>,
    pub(super) clock: AnyClock,
    /// The number of changes of the credentials that were found.
    credentials: AtomicU64,
    state: Mutex<ClientState>,
}

pub(super) struct ClientState {
    pub(super) turns: Turns,
    pub(super) denials: Denials,
    /// The last time at which the token endpoint answered, by the monotonic clock.
    pub(super) answered_at: Duration,
    looks: CredentialLooks,
}

impl Client {
    pub(super) fn new(source: Arc<dyn TokenSource>, clock: AnyClock) -> Arc<Self> {
        Arc::new(Self {
            dpop: source.dpop(),
            source,
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

    /// Returns the key to which the tokens are bound, if they are.
    pub(super) fn dpop(&self) -> Option<&Dpop> {
        self.dpop.as_ref()
    }

    /// Checks that other processes can use the tokens of the source, where they share them.
    pub(super) fn check_key_is_shared(&self) -> Result<(), Error> {
        self.dpop.as_ref().map_or(Ok(()), Dpop::check_is_shared)
    }

    /// Returns whether a token is of the type that the source has to return.
    pub(super) fn has_right_type(&self, response: &TokenResponse) -> bool {
        (response.token_type() == AccessTokenType::Dpop) == self.dpop.is_some()
    }

    /// Returns the response of the source, or an error if the token is of another type than the source
    /// has to return.
    pub(super) fn check_type(&self, response: TokenResponse) -> Result<TokenResponse, Error> {
        if self.has_right_type(&response) {
            return Ok(response);
        }
        Err(Error::new(
            ErrorKind::InvalidResponse,
            match self.dpop {
                Some(_) => {
                    "token source: expected a token of the type DPoP, bound to the key that \
                     TokenSource::dpop returned, got a bearer token"
                }
                None => {
                    "token source: expected a bearer token, got one of the type DPoP without a key for \
                     its proofs; return the key from TokenSource::dpop, also in a source that wraps \
                     another one"
                }
            },
        ))
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

    /// Returns the number of tokens that were issued to any cache.
    pub(super) fn issued(&self) -> u64 {
        self.state().denials.issued()
    }

    /// Returns the last denial of the client, if there was no success since, and the number of
    /// consecutive denials.
    pub(super) fn last_denial(&self, now: Now, standing: Standing) -> Option<(Error, u32)> {
        self.state().denials.last(now.monotonic, standing)
    }

    /// Records the answer to a token request that was sent at `start`, or its failure.
    pub(super) fn answered(&self, start: Start, error: Option<&Error>) {
        let now = self.clock.now().monotonic;
        let took = now.saturating_sub(start.at);
        self.change(|state| {
            if error.is_some_and(|error| is_slow_failure(error, took)) {
                state.turns.failed_slowly(now);
            }
            if error.is_none_or(|error| error.kind() != ErrorKind::Timeout) {
                state.answered_at = now;
            }
            match error {
                None => {
                    if start.standing.rank == Rank::Slow {
                        state.turns.recovered();
                    }
                    state.denials.issued_token();
                    state.turns.one_at_a_time = OneAtATime::None;
                }
                // the client was not denied
                Some(error) if !error.is_transient() => {
                    state.turns.one_at_a_time = OneAtATime::None;
                }
                Some(_) => {}
            }
            state.turns.next()
        });
    }

    /// Records that a token was loaded which another process of the client was issued.
    pub(super) fn loaded(&self) {
        self.state().denials.loaded_token();
    }

    /// Records a denial of the client by a token request that was sent at `start`. Returns `None` if
    /// the credentials have changed since.
    pub(super) fn denied(
        &self,
        start: Start,
        error: &Error,
        policy: &RefreshPolicy,
    ) -> Option<Denied> {
        let now = self.clock.now().monotonic;
        let mut denied = None;
        self.change(|state| {
            // under the lock: a change is counted before it clears the denials
            if start.credentials != self.credentials() {
                return Vec::new();
            }
            state.answered_at = now;
            let effect = state.denials.denied(start, error, policy, now);
            state.turns.one_at_a_time = match effect.spares_proven {
                true => OneAtATime::New,
                false => OneAtATime::All,
            };
            denied = Some(effect);
            // the waiting fetches of caches that back off fail with this error
            state.turns.all()
        });
        denied
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
