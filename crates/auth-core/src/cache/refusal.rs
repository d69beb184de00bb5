//! What an API says of a token: that it accepts it, or that it refuses it and another is needed.
//!
//! A refusal names the token it is about. Only one of the current token asks for another, so a
//! thousand refusals of one token make one token request; and an API that refuses whatever it is
//! given makes one every 30 s at most.

use std::{pin::pin, sync::atomic::Ordering::Relaxed, time::Duration};

use super::{Shared, TokenCache, flights::Ticket, task::Runtime};
use crate::{AccessToken, events, time::Now};

/// A token that a refusal brought, and that no API has accepted, brings no other for so long: it
/// will not be the token's fault.
const ON_TRIAL: Duration = Duration::from_secs(30);

/// How many token requests refusals may force: four in a row, and one more every 30 s.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    /// When the last came back.
    since: Duration,
}

impl Allowance {
    const MOST: u32 = 4;
    const ONE_BACK_EVERY: Duration = Duration::from_secs(30);

    fn is_left(&mut self, now: Now) -> bool {
        while self.left < Self::MOST && now.monotonic >= self.since + Self::ONE_BACK_EVERY {
            self.left += 1;
            self.since += Self::ONE_BACK_EVERY;
        }
        self.left > 0
    }

    fn take(&mut self, now: Now) {
        if self.left == Self::MOST {
            self.since = now.monotonic;
        }
        self.left -= 1;
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: Self::MOST,
            since: Duration::ZERO,
        }
    }
}

/// Another token than the one that was refused: there already, or asked for.
#[derive(Debug)]
pub(crate) struct Replacement {
    cache: TokenCache,
    refused: AccessToken,
    /// The flight that brings it.
    ticket: Option<Ticket>,
}

impl Replacement {
    /// Completes when it is there, or will not come.
    pub(crate) async fn arrive(&mut self) {
        // waiting takes a timer, and who is refused need not be in a runtime
        if let Some(mut ticket) = self.ticket.take()
            && Runtime::current().is_ok()
        {
            let landed = pin!(ticket.outcome.wait_for(Option::is_some));
            let shared = &self.cache.shared;
            let _ = shared.clock.before(ticket.dead_at, landed).await;
        }
    }

    /// The token, if it is there and usable.
    pub(crate) fn token(&self) -> Option<AccessToken> {
        let token = self.cache.hit(self.cache.now(), AccessToken::clone)?;
        // a server may hand out an earlier one again
        (token.header() != self.refused.header()).then_some(token)
    }
}

impl TokenCache {
    /// An API accepted the token of this generation.
    pub(crate) fn accepted(&self, generation: u64) {
        let accept = |entry: &super::slot::Entry| {
            if entry.token.any().generation() == generation {
                entry.accepted.store(true, Relaxed);
            }
        };
        self.shared.slot.current(accept);
    }

    /// A request is sent a second time.
    pub(crate) fn replayed(&self) {
        self.shared.flights().replays += 1;
    }

    /// An API refused this token. What may be had instead: the one that has come since, or that of
    /// a token request, which is started here if need be and permitted.
    pub(crate) fn refused(&self, token: &AccessToken) -> Option<Replacement> {
        let shared = &self.shared;
        let ticket = shared.request_instead_of(token.generation())?;
        Some(Replacement {
            cache: self.clone(),
            refused: token.clone(),
            ticket,
        })
    }
}

enum Current {
    /// Another token than the one refused.
    Replaced,
    /// The one refused, and usable by what the cache knows.
    Refused { on_trial: bool },
}

impl Shared {
    /// `None`: there will be none. `Some(None)`: there is one already.
    fn request_instead_of(self: &std::sync::Arc<Self>, generation: u64) -> Option<Option<Ticket>> {
        let now = self.clock.now();
        let mut flights = self.flights();
        let current = self.slot.usable(now, |entry| {
            if entry.token.any().generation() != generation {
                return Current::Replaced;
            }
            let fresh = entry
                .forced_at
                .is_some_and(|at| now.monotonic < at + ON_TRIAL);
            Current::Refused {
                on_trial: fresh && !entry.accepted.load(Relaxed),
            }
        });
        if matches!(current, Some(Current::Replaced)) {
            return Some(None);
        }
        if let Some(ticket) = flights.under_way(now).cloned() {
            flights.last.as_mut()?.forced = true;
            return Some(Some(ticket));
        }
        // a token that is over by itself is replaced whatever the API says
        let is_forced = matches!(current, Some(Current::Refused { .. }));
        let withheld = match current {
            Some(Current::Refused { on_trial: true }) => {
                Some("the token is new and was refused too")
            }
            Some(_) if !flights.forced.is_left(now) => Some("too many were refused"),
            _ if flights.backing_off(now).is_some() => Some("the last token request failed"),
            _ => None,
        };
        if let Some(why) = withheld {
            drop(flights);
            events::renewal_withheld(generation, why);
            return None;
        }
        let ticket = self.take_off(&mut flights, now).ok()?;
        if is_forced {
            flights.forced.take(now);
        }
        flights.last.as_mut()?.forced = true;
        Some(Some(ticket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_and_then_one_every_thirty_seconds() {
        let at = |seconds| Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::ZERO,
        };
        let mut allowance = Allowance::default();
        let mut take = |seconds| {
            let left = allowance.is_left(at(seconds));
            if left {
                allowance.take(at(seconds));
            }
            left
        };
        assert_eq!(
            [1000; 6].map(&mut take),
            [true, true, true, true, false, false]
        );
        assert_eq!(
            [1029, 1030, 1031, 1059, 1060].map(&mut take),
            [false, true, false, false, true]
        );
        assert_eq!([9000; 5].map(&mut take), [true, true, true, true, false]);
    }
}
