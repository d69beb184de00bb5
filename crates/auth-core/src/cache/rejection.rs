//! Replaces a token after an API rejected it.
//!
//! A rejection names the token it is about. Only a rejection of the current token starts a fetch,
//! so a thousand rejections of one token cause one token request. The rejection budgets bound what
//! an API that rejects every token can cause. Explicit and bare rejections have a budget each. A
//! rejected token that stays in use is observed: whether it is still accepted tells a revocation from
//! an endpoint that rejects every token.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use super::{
    inner::{Inner, Issued},
    policy::{Observation, RejectionKind},
    runtime::Runtime,
    state::{RefreshState, Waiter},
};
use crate::{AccessToken, Error, events, time::Now};

/// The replacement for a rejected token, from
/// [`TokenCache::reject`](crate::TokenCache::reject).
#[derive(Clone, Debug)]
#[must_use]
pub enum Replacement {
    /// Another token has replaced the rejected one already.
    Ready(AccessToken),
    /// A token request is in flight.
    Pending(PendingToken),
    /// No other token is requested now: the rejection budget is used up, or its last token request is
    /// kept for a token that no API accepts any more; the rejected token is itself a replacement that
    /// no API has accepted yet, or was returned once more by the token endpoint a moment ago; the last
    /// token request failed and its backoff has not ended; or the caller runs outside a tokio runtime.
    ///
    /// The cache still returns the rejected token: wait before the next connection, for instance
    /// 30 s, instead of repeating the rejected one in a loop.
    Unavailable,
}

/// A replacement for a rejected token that has been requested.
#[derive(Clone, Debug)]
pub struct PendingToken(Replacing);

impl PendingToken {
    /// Waits for the token. Returns `None` if the token request fails or returns the rejected token
    /// again. Needs a tokio runtime.
    pub async fn token(mut self) -> Option<AccessToken> {
        self.0.wait().await;
        self.0.issued().map(|issued| issued.token().clone())
    }
}

/// A replacement for a rejected token: available already, or requested.
#[derive(Clone)]
pub(crate) struct Replacing {
    cache: Arc<Inner>,
    rejected: AccessToken,
    /// Waits for the fetch that obtains the replacement.
    waiter: Option<Waiter>,
}

impl Replacing {
    /// Returns whether the fetch of the replacement was in flight when the token was rejected.
    pub(crate) fn is_pending(&self) -> bool {
        self.waiter.is_some()
    }

    /// Waits until the fetch of the replacement has finished, if there is one.
    pub(crate) async fn wait(&mut self) {
        self.wait_at_most(Duration::MAX).await;
    }

    /// Like [`wait`](Self::wait), but no longer than `patience`.
    pub(crate) async fn wait_at_most(&mut self, patience: Duration) {
        // a waiter needs a timer, and the caller need not be in a runtime
        if let Some(mut waiter) = self.waiter.take()
            && Runtime::current().is_ok()
        {
            let clock = &self.cache.clock;
            let end = clock.now().monotonic.saturating_add(patience);
            let _ = clock.before(end, waiter.finished(clock)).await;
        }
    }

    /// Returns the replacement, if there is a usable one.
    pub(crate) fn issued(&self) -> Option<Issued> {
        let now = self.cache.clock.now();
        let issued = self.cache.hit(now, Issued::clone)?;
        // a server may return the rejected token again
        (issued.header() != self.rejected.header()).then_some(issued)
    }
}

impl fmt::Debug for Replacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacing")
            .field("is_pending", &self.waiter.is_some())
            .finish_non_exhaustive()
    }
}

impl Issued {
    /// Reports that an API rejected the token. Returns its replacement, if there is one or one is
    /// requested. `replayable`: the request is replayed if there is another token.
    pub(crate) fn rejected(&self, kind: RejectionKind, replayable: bool) -> Option<Replacing> {
        self.cache()?.reject(self.token(), kind, replayable)
    }
}

/// The current token, compared with the rejected one.
enum Current {
    /// Another token than the rejected one.
    Replaced,
    /// The rejected token, which would be usable otherwise.
    Rejected {
        /// Why the token's probation withholds its replacement, if it does.
        on_probation: Option<&'static str>,
        /// Whether an API has accepted the token, since it is observed if it is.
        is_accepted: bool,
    },
}

enum Next {
    /// Another token has replaced the rejected one already.
    Ready,
    Pending(Waiter),
    /// No replacement is requested.
    Withheld {
        reason: &'static str,
        /// The error of the failed token request, if its backoff has not ended.
        backing_off: Option<Error>,
    },
}

impl Inner {
    /// Returns a public [`Replacement`] for a rejected token. The caller states no reason: the
    /// rejection is a bare one.
    pub(super) fn replacement(self: &Arc<Self>, token: &AccessToken) -> Replacement {
        let Some(replacing) = self.reject(token, RejectionKind::Bare, false) else {
            return Replacement::Unavailable;
        };
        if replacing.waiter.is_some() {
            return Replacement::Pending(PendingToken(replacing));
        }
        match replacing.issued() {
            Some(issued) => Replacement::Ready(issued.token().clone()),
            None => Replacement::Unavailable,
        }
    }

    /// Requests a replacement for a rejected token if needed, and emits the events. Returns `None`
    /// if the token is not replaced.
    fn reject(
        self: &Arc<Self>,
        token: &AccessToken,
        kind: RejectionKind,
        replayable: bool,
    ) -> Option<Replacing> {
        let now = self.clock.now();
        let generation = token.generation();
        let mut state = self.state();
        let next = self.replace(&mut state, now, token, kind);
        let rejected = state.rejections().events.admit(now.monotonic);
        let withheld = match &next {
            Next::Withheld { reason, .. } => {
                let suppressed = state.rejections().withheld_events.admit(now.monotonic);
                suppressed.map(|suppressed| (*reason, suppressed))
            }
            Next::Ready | Next::Pending(_) => None,
        };
        drop(state);
        if let Some(suppressed) = rejected {
            let is_explicit = kind == RejectionKind::Explicit;
            events::token_rejected(generation, is_explicit, replayable, suppressed);
        }
        if let Some((reason, suppressed)) = withheld {
            events::replacement_withheld(generation, reason, suppressed);
        }
        let waiter = match next {
            Next::Ready => None,
            Next::Pending(waiter) => Some(waiter),
            Next::Withheld { backing_off, .. } => {
                if let Some(error) = backing_off {
                    self.look_for_cause(&error);
                }
                return None;
            }
        };
        Some(Replacing {
            cache: Arc::clone(self),
            rejected: token.clone(),
            waiter,
        })
    }

    /// Returns how a rejected token is replaced, and starts a fetch if needed.
    fn replace(
        self: &Arc<Self>,
        state: &mut RefreshState,
        now: Now,
        rejected: &AccessToken,
        kind: RejectionKind,
    ) -> Next {
        let generation = rejected.generation();
        let current = self.slot.usable(now, |cached| {
            let current = cached.token.original().token();
            // a token of another cache may have the same generation
            if current.generation() != generation || current.header() != rejected.header() {
                return Current::Replaced;
            }
            let is_accepted = cached.accepted.load(Relaxed);
            let probation = cached.probation();
            Current::Rejected {
                on_probation: probation.and_then(|probation| probation.withholds(kind, now)),
                is_accepted,
            }
        });
        if matches!(current, Some(Current::Replaced)) {
            return Next::Ready;
        }
        if let Some(waiter) = state.in_flight(now).cloned() {
            state.set_joined_by_rejection();
            return Next::Pending(waiter);
        }
        state.give_back_lost(now);
        let observed = state
            .rejections()
            .observation
            .filter(|observed| observed.is_of(generation));
        let is_confirmed = match current {
            Some(Current::Rejected { is_accepted, .. }) => {
                !is_accepted && observed.is_some_and(|observed| observed.has_ended(now))
            }
            _ => false,
        };
        let backing_off = match is_confirmed {
            // the token is not usable, although it has not expired
            true => self.backing_off_without_token(state, now),
            false => self.backing_off(state, now),
        };
        let withheld = match current {
            Some(Current::Rejected {
                on_probation: Some(reason),
                ..
            }) => Some(reason),
            Some(_) => state
                .rejections()
                .budgets
                .check(kind, is_confirmed, now)
                .err(),
            None => None,
        };
        let withheld = withheld.or_else(|| {
            let reason = "the last token request failed, and its backoff has not ended";
            backing_off.is_some().then_some(reason)
        });
        if let Some(reason) = withheld {
            if let Some(Current::Rejected { is_accepted, .. }) = current {
                self.observe(state, now, generation, is_accepted);
            }
            return Next::Withheld {
                reason,
                backing_off,
            };
        }
        let Ok(waiter) = self.begin(state, now) else {
            return Next::Withheld {
                reason: "the caller runs outside a tokio runtime",
                backing_off: None,
            };
        };
        // an expired token is replaced in any case: the fetch neither uses the budget, nor is its token on
        // probation
        if let Some(Current::Rejected { is_accepted, .. }) = current {
            state.rejections().budgets.take(kind, now);
            // if an API has accepted the token after a rejection, the token was not revoked by then
            let returns = !(is_accepted && observed.is_some());
            state.set_caused_by_rejection(kind, returns.then_some(kind), now);
            self.observe(state, now, generation, is_accepted);
        }
        Next::Pending(waiter)
    }

    /// Observes whether an API accepts the current token, which was rejected and stays in use.
    ///
    /// Each copy of a token reports one acceptance. The copies of a token that has been accepted are
    /// renewed, at most once in each period: what they report then is about requests that were sent
    /// after this rejection.
    fn observe(&self, state: &mut RefreshState, now: Now, generation: u64, is_accepted: bool) {
        let observed = state
            .rejections()
            .observation
            .filter(|observed| observed.is_of(generation));
        if observed.is_some_and(|observed| !is_accepted || !observed.has_ended(now)) {
            return;
        }
        if is_accepted {
            self.slot.renew(now);
        }
        state.rejections().observation = Some(Observation::start(generation, now));
    }
}
