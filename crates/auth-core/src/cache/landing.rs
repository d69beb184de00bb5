//! What becomes of a flight's result.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use super::{
    Shared, WeakTokenCache,
    copies::Copies,
    flight::nanoseconds,
    flights::{Failure, Flights},
    slot::Entry,
    sync::AtomicBool,
};
use crate::{AccessToken, Error, ErrorKind, TokenResponse, events, time::Now};

/// How long a refusal keeps other processes from trying.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

pub(super) type Outcome = Result<Arrival, Error>;

/// A token that has come. Whoever looks only later asks the clock whether it is still usable.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    token: AccessToken,
    usable_until: Now,
}

impl Arrival {
    /// The token, if it is usable.
    pub(super) fn usable(&self, now: Now) -> Option<AccessToken> {
        (!now.reached(self.usable_until)).then(|| self.token.clone())
    }
}

/// What landing a flight comes to.
pub(super) struct Landing {
    pub(super) outcome: Outcome,
    /// When the next flight is due, by the monotonic clock; None after one that was given up for
    /// dead.
    pub(super) next: Option<Duration>,
    /// Whether a usable token is there.
    pub(super) served: bool,
    /// Whether another process had asked for it.
    pub(super) is_shared: bool,
}

impl Shared {
    /// Takes the result of flight `number` in; one that was given up for dead changes nothing.
    ///
    /// Nothing of the user's runs in here, under the lock: not a source, not a subscriber of events.
    pub(super) fn land(
        self: &Arc<Self>,
        number: u64,
        sent: Now,
        result: Result<TokenResponse, Error>,
        is_shared: bool,
    ) -> Landing {
        let now = self.clock.now();
        let mut flights = self.flights();
        let current = flights.last_is(number);
        flights.shared += u64::from(is_shared);
        let (outcome, next) = match result {
            Ok(response) => self.land_token(&mut flights, current, sent, now, response, is_shared),
            Err(error) => self.land_failure(&mut flights, current, now, error),
        };
        if let Some(flight) = flights.last.as_mut().filter(|_| current) {
            flight.ticket = None;
            flight.task = flight.task.take().filter(|_| self.keep_warm);
        }
        Landing {
            outcome,
            next: current.then_some(next),
            served: self.slot.left(now).is_some(),
            is_shared,
        }
    }

    fn land_token(
        self: &Arc<Self>,
        flights: &mut Flights,
        current: bool,
        sent: Now,
        now: Now,
        response: TokenResponse,
        is_shared: bool,
    ) -> (Outcome, Duration) {
        let (lifetime, age) = (response.lifetime, response.age);
        let life = self.policy.life(sent, now, lifetime, age, fastrand::f64());
        let forced = current && flights.last.as_ref().is_some_and(|flight| flight.forced);
        // it may be over already: the machine may have slept meanwhile
        let is_poor = life.is_makeshift || now.reached(life.spent_at);
        let is_worse = is_poor && !forced && self.slot.left(now) > Some(life.left(now));
        // what is in the store is no answer to this request: there is no need to make do with it
        if is_worse || is_poor && is_shared {
            let error = Error::new(
                ErrorKind::InvalidResponse,
                "the new token ends sooner than the current one",
            );
            return self.land_failure(flights, current, now, error);
        }
        flights.tokens += 1;
        let same = |entry: &Entry| {
            let token = entry.token.any();
            (*token.header() == response.authorization).then(|| token.generation())
        };
        // some servers hand out the same token again, as long as it lives
        let generation = self.slot.current(same).flatten().unwrap_or_else(|| {
            flights.generation += 1;
            flights.generation
        });
        let (asked, cache) = (self.request.scopes(), WeakTokenCache::of(self));
        let token = AccessToken::new(response, generation, life.expires_at, asked, cache);
        if current {
            let before = self.slot.current(Entry::taken_in_vain).unwrap_or_default();
            let taken = match forced && is_shared {
                true => before.saturating_add(1),
                false => 0,
            };
            let entry = Entry {
                token: Copies::new(token.clone()),
                life,
                // a token from the store has been tried elsewhere since it was issued
                forced_at: forced.then(|| now.monotonic.saturating_sub(age)),
                taken,
                accepted: AtomicBool::new(false),
            };
            self.slot.store(entry, now);
            flights.failure = None;
            self.next_renewal.store(0, Relaxed);
        }
        let arrival = Arrival {
            token,
            usable_until: life.spent_at,
        };
        (Ok(arrival), life.refresh_at.monotonic)
    }

    fn land_failure(
        &self,
        flights: &mut Flights,
        current: bool,
        now: Now,
        error: Error,
    ) -> (Outcome, Duration) {
        let in_a_row = flights.failure.as_ref().map_or(0, |f| f.in_a_row) + 1;
        let left = self.slot.left(now);
        let wait = self.policy.backoff(&error, in_a_row, left, fastrand::f64());
        let next_attempt = now.monotonic + wait;
        let error = error.with_retry_after(wait);
        if current {
            self.next_renewal.store(nanoseconds(next_attempt), Relaxed);
            flights.failure = Some(Failure {
                error: error.clone(),
                in_a_row,
                next_attempt,
            });
        }
        (Err(error), next_attempt)
    }
}

impl Landing {
    /// How long nobody else need try either. A refusal may be for this process alone, but if it is
    /// for all they need not come at once.
    pub(super) fn pause(&self) -> Option<Duration> {
        let error = self.outcome.as_ref().err()?;
        match error.is_transient() {
            true => error.retry_after(),
            false => Some(AFTER_REFUSAL),
        }
    }

    /// Tells operators.
    pub(super) fn tell(&self) {
        match &self.outcome {
            Ok(arrival) => events::token_received(&arrival.token, self.is_shared),
            Err(error) => events::token_request_failed(error, self.served),
        }
    }
}
