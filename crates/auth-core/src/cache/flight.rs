//! Single flight: one token request at a time, whose outcome, success or failure, goes to everybody
//! who waits.
//!
//! A flight is a task of its own: dropping a caller neither stops nor repeats it. It does not hold
//! the cache: when the last handle is dropped, the task ends.

use std::{
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{runtime::Handle, sync::watch, task::AbortHandle};

use super::{Shared, copies::Copies, journey::Journey, slot::Entry};
use crate::{AccessToken, Error, ErrorKind, TokenResponse, clock::Now, events};

pub(super) type Outcome = Result<Arrival, Error>;

/// A token that has come. Whoever looks only later asks the clock whether it is still usable.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    token: AccessToken,
    usable_until: Now,
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

/// How often a waiter looks for another flight when the one it was on has gone, for instance with
/// the runtime that drove it.
const TAKEOVERS: usize = 8;

/// After its deadline a flight has this long to land before it is dead to everybody: its runtime
/// may be busy.
const GRACE: Duration = Duration::from_millis(500);

/// What is known of token requests; locked for an instant, never across I/O.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// The last one, which may have landed.
    last: Option<Flight>,
    /// Flights so far.
    count: u64,
    /// Tokens so far.
    generation: u64,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    /// None once it has landed.
    ticket: Option<Ticket>,
    task: AbortHandle,
}

/// What a waiter holds.
#[derive(Clone, Debug)]
struct Ticket {
    outcome: watch::Receiver<Option<Outcome>>,
    dead_at: Duration,
}

/// The last attempt failed.
#[derive(Debug)]
struct Failure {
    error: Error,
    in_a_row: u32,
    next_attempt: Duration,
}

enum Boarding {
    /// Somebody's token has just come.
    Landed(AccessToken),
    Waiting(Ticket),
}

impl Ticket {
    /// Landed without us, gone with its runtime, or too old.
    fn is_void(&self, now: Now) -> bool {
        now.monotonic >= self.dead_at || self.outcome.has_changed().is_err()
    }
}

impl Flights {
    /// The flight that is under way, if there is one and it is alive.
    fn under_way(&self, now: Now) -> Option<&Ticket> {
        let ticket = self.last.as_ref()?.ticket.as_ref()?;
        (!ticket.is_void(now)).then_some(ticket)
    }

    /// The error that callers get until the next attempt is due.
    fn backing_off(&self, now: Now) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let wait = failure.next_attempt.checked_sub(now.monotonic)?;
        (!wait.is_zero()).then(|| failure.error.clone().with_retry_after(wait))
    }

    /// Ends the task of the last flight, under way or waiting to start the next.
    pub(super) fn abort(&mut self) {
        if let Some(flight) = self.last.take() {
            flight.task.abort();
        }
    }

    fn last_is(&self, number: u64) -> bool {
        self.last
            .as_ref()
            .is_some_and(|flight| flight.number == number)
    }

    pub(super) fn status(&self, now: Now) -> FlightStatus {
        FlightStatus {
            under_way: self.under_way(now).is_some(),
            requests: self.count,
            tokens: self.generation,
            failures_in_a_row: self.failure.as_ref().map_or(0, |failure| failure.in_a_row),
            error: self.failure.as_ref().map(|failure| {
                let wait = failure.next_attempt.saturating_sub(now.monotonic);
                failure.error.clone().with_retry_after(wait)
            }),
        }
    }
}

/// What [`Status`](super::Status) says of token requests.
pub(super) struct FlightStatus {
    pub(super) under_way: bool,
    pub(super) requests: u64,
    pub(super) tokens: u64,
    pub(super) failures_in_a_row: u32,
    pub(super) error: Option<Error>,
}

impl Shared {
    /// The token of the flight under way or, if there is none, of a new one.
    pub(super) async fn wait(self: &Arc<Self>) -> Result<AccessToken, Error> {
        for _ in 0..TAKEOVERS {
            // waiting takes a timer, even if another runtime drives the flight
            runtime()?;
            let mut ticket = match self.board()? {
                Boarding::Landed(token) => return Ok(token),
                Boarding::Waiting(ticket) => ticket,
            };
            let landed = ticket.outcome.wait_for(Option::is_some);
            if let Some(Ok(outcome)) = self.clock.before(ticket.dead_at, landed).await
                && let Some(outcome) = outcome.as_ref()
            {
                let arrival = outcome.clone()?;
                // we may have been polled long after it came
                if !self.clock.now().reached(arrival.usable_until) {
                    return Ok(arrival.token);
                }
            }
        }
        Err(Error::new(
            ErrorKind::NoRuntime,
            format!(
                "{TAKEOVERS} token requests in a row ended before anybody could use their outcome"
            ),
        ))
    }

    fn board(self: &Arc<Self>) -> Result<Boarding, Error> {
        let now = self.clock.now();
        let mut flights = self.flights();
        // it may have come between our read and the lock
        if let Some(token) = self.slot.usable(now, |entry| entry.token.mine().clone()) {
            return Ok(Boarding::Landed(token));
        }
        if let Some(ticket) = flights.under_way(now) {
            return Ok(Boarding::Waiting(ticket.clone()));
        }
        match flights.backing_off(now) {
            Some(error) => Err(error),
            None => Ok(Boarding::Waiting(self.take_off(&mut flights, now)?)),
        }
    }

    /// A read found the token due: starts a flight, unless one is under way, the last one failed
    /// too recently, or there is no runtime to drive it.
    #[cold]
    pub(super) fn renew_in_background(self: &Arc<Self>, now: Now) {
        if nanoseconds(now.monotonic) < self.next_renewal.load(Relaxed) {
            return;
        }
        let mut flights = self.flights();
        if self.slot.is_due(now)
            && flights.under_way(now).is_none()
            && flights.backing_off(now).is_none()
        {
            // outside a runtime nothing is started: the next read inside one does
            let _ = self.take_off(&mut flights, now);
        }
    }

    /// The task of flight `number`, which landed a while ago, finds the next renewal due.
    pub(super) fn renew_to_keep_warm(self: &Arc<Self>, number: u64) {
        let now = self.clock.now();
        let mut flights = self.flights();
        // a read may have been faster, and its flight's task now keeps the token warm
        if flights.last_is(number) {
            // this task is not to end itself
            flights.last = None;
            let _ = self.take_off(&mut flights, now);
        }
    }

    /// Forgets the last failure.
    pub(super) fn forget_failure(&self) {
        let mut flights = self.flights();
        if flights.failure.take().is_some() {
            self.next_renewal.store(0, Relaxed);
        }
    }

    fn take_off(self: &Arc<Self>, flights: &mut Flights, now: Now) -> Result<Ticket, Error> {
        let runtime = runtime()?;
        let deadline = now.monotonic + self.policy.attempt(self.slot.left(now));
        let (sender, outcome) = watch::channel(None);
        flights.abort();
        flights.count += 1;
        let number = flights.count;
        let journey = Journey {
            number,
            deadline,
            cache: Arc::downgrade(self),
            source: Arc::clone(&self.source),
            request: self.request.clone(),
            clock: self.clock.clone(),
            outcome: sender,
        };
        let task = runtime.spawn(journey.fly());
        let ticket = Ticket {
            outcome,
            dead_at: deadline + GRACE,
        };
        self.next_renewal
            .store(nanoseconds(ticket.dead_at), Relaxed);
        flights.last = Some(Flight {
            number,
            ticket: Some(ticket.clone()),
            task: task.abort_handle(),
        });
        Ok(ticket)
    }

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
        if life.is_makeshift && self.slot.left(now) > Some(life.left(now)) {
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

    pub(super) fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
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

fn runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|outside| {
        Error::new(
            ErrorKind::NoRuntime,
            "a token is needed, and there is no tokio runtime to request one in",
        )
        .with_source(outside)
    })
}

/// Five centuries fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
