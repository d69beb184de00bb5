//! What becomes of a flight's result.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use super::{
    Shared,
    copies::Copies,
    flight::nanoseconds,
    flights::{Failure, Flights},
    slot::Entry,
};
use crate::{AccessToken, Error, ErrorKind, TokenResponse, clock::Now, events};

pub(super) type Outcome = Result<Arrival, Error>;

/// A token that has come. Whoever looks only later asks the clock whether it is still usable.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) token: AccessToken,
    pub(super) usable_until: Now,
}

/// What landing a flight comes to.
pub(super) struct Landing {
    pub(super) outcome: Outcome,
    /// When the next flight is due, by the monotonic clock; None after one that was given up for
    /// dead.
    pub(super) next: Option<Duration>,
    /// Whether a usable token is there.
    pub(super) served: bool,
}

impl Shared {
    /// Takes the result of flight `number` in; one that was given up for dead changes nothing.
    ///
    /// Nothing of the user's runs in here, under the lock: not a source, not a subscriber of events.
    pub(super) fn land(
        &self,
        number: u64,
        sent: Now,
        result: Result<TokenResponse, Error>,
    ) -> Landing {
        let now = self.clock.now();
        let mut flights = self.flights();
        let current = flights.last_is(number);
        let (outcome, next) = match result {
            Ok(response) => self.land_token(&mut flights, current, sent, now, response),
            Err(error) => self.land_failure(&mut flights, current, now, error),
        };
        if let Some(flight) = flights.last.as_mut().filter(|_| current) {
            flight.ticket = None;
        }
        Landing {
            outcome,
            next: current.then_some(next),
            served: self.slot.left(now).is_some(),
        }
    }

    fn land_token(
        &self,
        flights: &mut Flights,
        current: bool,
        sent: Now,
        now: Now,
        response: TokenResponse,
    ) -> (Outcome, Duration) {
        let lifetime = response.lifetime;
        let life = self.policy.life(sent, now, lifetime, fastrand::f64());
        // it may be over already: the machine may have slept meanwhile
        let is_poor = life.is_makeshift || now.reached(life.spent_at);
        if is_poor && self.slot.left(now) > Some(life.left(now)) {
            let error = Error::new(
                ErrorKind::InvalidResponse,
                "the new token ends sooner than the current one",
            );
            return self.land_failure(flights, current, now, error);
        }
        flights.generation += 1;
        let (generation, asked) = (flights.generation, self.request.scopes());
        let token = AccessToken::new(response, generation, life.expires_at, asked);
        if current {
            let token = Copies::new(token.clone());
            self.slot.store(Entry { token, life }, now);
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
    /// Tells operators.
    pub(super) fn tell(&self) {
        match &self.outcome {
            Ok(arrival) => events::token_received(&arrival.token),
            Err(error) => events::token_request_failed(error, self.served),
        }
    }
}
