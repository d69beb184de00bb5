//! Replaces a token after an API rejected it.
//!
//! A rejection names the token it is about. Only a rejection of the current token starts a fetch,
//! so a thousand rejections of one token cause one token request. The rejection budget bounds what
//! an API that rejects every token can cause.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use super::{
    inner::{Inner, Issued},
    runtime::Runtime,
    state::Waiter,
};
use crate::{AccessToken, events};

/// For this long a rejection of a replacement that no API has accepted starts no fetch: the API
/// would reject the next token as well.
const PROBATION: Duration = Duration::from_secs(30);

/// The replacement for a rejected token, from
/// [`TokenCache::reject`](crate::TokenCache::reject).
#[derive(Clone, Debug)]
#[must_use]
pub enum Replacement {
    /// Another token has replaced the rejected one already.
    Ready(AccessToken),
    /// A token request is in flight.
    Pending(PendingToken),
    /// No other token is requested now: the rejection budget is used up, the rejected token is
    /// itself a replacement that no API has accepted yet, the last token request failed and its
    /// backoff has not ended, or the caller runs outside a tokio runtime.
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
    /// Waits until the fetch of the replacement has finished, if there is one.
    pub(crate) async fn wait(&mut self) {
        // a waiter needs a timer, and the caller need not be in a runtime
        if let Some(mut waiter) = self.waiter.take()
            && Runtime::current().is_ok()
        {
            waiter.finished(&self.cache.clock).await;
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
    /// requested.
    pub(crate) fn rejected(&self) -> Option<Replacing> {
        self.cache()?.reject(self.token())
    }
}

/// The current token, compared with the rejected one.
enum Current {
    /// Another token than the rejected one.
    Replaced,
    /// The rejected token, which would be usable otherwise.
    Rejected { on_probation: bool },
}

enum Next {
    /// Another token has replaced the rejected one already.
    Ready,
    Pending(Waiter),
}

impl Inner {
    /// Returns a public [`Replacement`] for a rejected token.
    pub(super) fn replacement(self: &Arc<Self>, token: &AccessToken) -> Replacement {
        events::token_rejected(token.generation(), false);
        let Some(replacing) = self.reject(token) else {
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

    fn reject(self: &Arc<Self>, token: &AccessToken) -> Option<Replacing> {
        let waiter = match self.replace(token)? {
            Next::Ready => None,
            Next::Pending(waiter) => Some(waiter),
        };
        Some(Replacing {
            cache: Arc::clone(self),
            rejected: token.clone(),
            waiter,
        })
    }

    /// Returns how a rejected token is replaced, and starts a fetch if needed. `None` if it is not
    /// replaced.
    fn replace(self: &Arc<Self>, rejected: &AccessToken) -> Option<Next> {
        let now = self.clock.now();
        let generation = rejected.generation();
        let mut state = self.state();
        let current = self.slot.usable(now, |cached| {
            let current = cached.token.original().token();
            // a token of another cache may have the same generation
            if current.generation() != generation || current.header() != rejected.header() {
                return Current::Replaced;
            }
            let is_new = cached
                .replaced_rejected_at
                .is_some_and(|at| now.monotonic < at.saturating_add(PROBATION));
            Current::Rejected {
                on_probation: is_new && !cached.accepted.load(Relaxed),
            }
        });
        if matches!(current, Some(Current::Replaced)) {
            return Some(Next::Ready);
        }
        if let Some(waiter) = state.in_flight(now).cloned() {
            state.set_replaces_rejected();
            return Some(Next::Pending(waiter));
        }
        // an expired token is replaced in any case, and does not use the budget
        let uses_budget = matches!(current, Some(Current::Rejected { .. }));
        let backing_off = self.backing_off(&state, now);
        let withheld = match current {
            Some(Current::Rejected { on_probation: true }) => {
                Some("the rejected token is itself a replacement that no API has accepted")
            }
            Some(_) if !state.rejection_budget.is_left(now) => {
                Some("the rejection budget is used up")
            }
            _ if backing_off.is_some() => {
                Some("the last token request failed, and its backoff has not ended")
            }
            _ => None,
        };
        if let Some(reason) = withheld {
            drop(state);
            if let Some(error) = backing_off {
                self.look_for_cause(&error);
            }
            events::replacement_withheld(generation, reason);
            return None;
        }
        let Ok(waiter) = self.begin(&mut state, now) else {
            drop(state);
            events::replacement_withheld(generation, "the caller runs outside a tokio runtime");
            return None;
        };
        if uses_budget {
            state.rejection_budget.take(now);
        }
        state.set_replaces_rejected();
        Some(Next::Pending(waiter))
    }
}
