//! Single flight: one token request at a time, whose outcome, success or failure, goes to everybody
//! who waits.
//!
//! A flight is a task of its own: dropping a caller neither stops nor repeats it. It does not hold
//! the cache: when the last handle is dropped, the task ends.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, MutexGuard, PoisonError, Weak, atomic::Ordering::Relaxed},
    task::Poll,
    time::Duration,
};

use tokio::{runtime::Handle, sync::watch, task::AbortHandle};

use super::{Shared, copies::Copies, slot::Entry};
use crate::{
    AccessToken, Error, ErrorKind, TokenResponse,
    clock::{AnyClock, Now},
    events,
};

pub(super) type Outcome = Result<AccessToken, Error>;

/// How often a waiter looks for another flight when the one it was on has gone, for instance with
/// the runtime that drove it.
const TAKEOVERS: usize = 8;

/// After its deadline a flight has this long to land before it is dead to everybody: its runtime
/// may be busy.
const GRACE: Duration = Duration::from_millis(500);

/// What is known of token requests; locked for an instant, never across I/O.
#[derive(Debug, Default)]
pub(super) struct Flights {
    current: Option<Flight>,
    /// Flights so far.
    count: u64,
    /// Tokens so far.
    generation: u64,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    ticket: Ticket,
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
        let ticket = &self.current.as_ref()?.ticket;
        (!ticket.is_void(now)).then_some(ticket)
    }

    /// The error that callers get until the next attempt is due.
    fn backing_off(&self, now: Now) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let wait = failure.next_attempt.checked_sub(now.monotonic)?;
        (!wait.is_zero()).then(|| failure.error.clone().with_retry_after(wait))
    }

    pub(super) fn abort(&mut self) {
        if let Some(flight) = self.current.take() {
            flight.task.abort();
        }
    }
}

impl Shared {
    /// The outcome of the flight under way or, if there is none, of a new one.
    pub(super) async fn wait(self: &Arc<Self>) -> Outcome {
        for _ in 0..TAKEOVERS {
            let mut ticket = match self.board()? {
                Boarding::Landed(token) => return Ok(token),
                Boarding::Waiting(ticket) => ticket,
            };
            let landed = ticket.outcome.wait_for(Option::is_some);
            if let Some(Ok(outcome)) = self.clock.before(ticket.dead_at, landed).await
                && let Some(outcome) = outcome.as_ref()
            {
                return outcome.clone();
            }
        }
        Err(Error::new(
            ErrorKind::NoRuntime,
            format!("{TAKEOVERS} token requests in a row ended with the runtime that drove them"),
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
        let due = |entry: &Entry| now.reached(entry.life.refresh_at);
        if self.slot.usable(now, due) == Some(true)
            && flights.under_way(now).is_none()
            && flights.backing_off(now).is_none()
        {
            // outside a runtime nothing is started: the next read inside one does
            let _ = self.take_off(&mut flights, now);
        }
    }

    fn take_off(self: &Arc<Self>, flights: &mut Flights, now: Now) -> Result<Ticket, Error> {
        let runtime = Handle::try_current().map_err(|outside| {
            Error::new(
                ErrorKind::NoRuntime,
                "a token is needed, and there is no tokio runtime to request one in",
            )
            .with_source(outside)
        })?;
        let deadline = now.monotonic + self.policy.attempt(self.slot.left(now));
        let (sender, outcome) = watch::channel(None);
        flights.abort();
        flights.count += 1;
        let number = flights.count;
        let journey = Journey {
            number,
            deadline,
            cache: Arc::downgrade(self),
            clock: self.clock.clone(),
            outcome: sender,
        };
        let (source, request) = (Arc::clone(&self.source), self.request.clone());
        let task = runtime.spawn(async move {
            journey.fly(async { source.fetch(&request).await }).await;
        });
        let ticket = Ticket {
            outcome,
            dead_at: deadline + GRACE,
        };
        self.next_renewal
            .store(nanoseconds(ticket.dead_at), Relaxed);
        flights.current = Some(Flight {
            number,
            ticket: ticket.clone(),
            task: task.abort_handle(),
        });
        Ok(ticket)
    }

    /// Takes the result of flight `number` in; one that was given up for dead changes nothing.
    fn land(&self, number: u64, sent: Now, result: Result<TokenResponse, Error>) -> Outcome {
        let now = self.clock.now();
        let mut flights = self.flights();
        let current = flights.current.as_ref().is_some_and(|f| f.number == number);
        let outcome = match result {
            Ok(response) => {
                flights.generation += 1;
                let life = self
                    .policy
                    .life(sent, now, response.lifetime, fastrand::f64());
                let token = AccessToken::new(
                    response,
                    flights.generation,
                    life.expires_at,
                    self.request.scopes(),
                );
                events::token_received(&token, now.until(life.expires_at));
                if current {
                    let token = Copies::new(token.clone());
                    self.slot.store(Entry { token, life }, now);
                    flights.failure = None;
                    self.next_renewal.store(0, Relaxed);
                }
                Ok(token)
            }
            Err(error) => {
                let in_a_row = flights.failure.as_ref().map_or(0, |f| f.in_a_row) + 1;
                let left = self.slot.left(now);
                let wait = self.policy.backoff(&error, in_a_row, left, fastrand::f64());
                let error = error.with_retry_after(wait);
                events::token_request_failed(&error, left.is_some());
                if current {
                    let next_attempt = now.monotonic + wait;
                    self.next_renewal.store(nanoseconds(next_attempt), Relaxed);
                    flights.failure = Some(Failure {
                        error: error.clone(),
                        in_a_row,
                        next_attempt,
                    });
                }
                Err(error)
            }
        };
        if current {
            flights.current = None;
        }
        outcome
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One token request under way.
struct Journey {
    number: u64,
    deadline: Duration,
    cache: Weak<Shared>,
    clock: AnyClock,
    /// Dropped unused it tells the waiters that nothing will come.
    outcome: watch::Sender<Option<Outcome>>,
}

impl Journey {
    async fn fly(self, fetch: impl Future<Output = Result<TokenResponse, Error>>) {
        let sent = self.clock.now();
        let fetched = self.clock.before(self.deadline, unpanicked(fetch)).await;
        let result = fetched.unwrap_or_else(|| {
            let allowed = self.deadline.saturating_sub(sent.monotonic).as_secs_f64();
            Err(Error::new(
                ErrorKind::Timeout,
                format!("no answer to the token request within {allowed:.1} s"),
            ))
        });
        if let Some(cache) = self.cache.upgrade() {
            let outcome = cache.land(self.number, sent, result);
            drop(cache);
            self.outcome.send_replace(Some(outcome));
        }
    }
}

/// A panic of the source as an error.
async fn unpanicked(
    fetch: impl Future<Output = Result<TokenResponse, Error>>,
) -> Result<TokenResponse, Error> {
    let mut fetch = pin!(fetch);
    poll_fn(|cx| {
        let fetch: Pin<&mut _> = fetch.as_mut();
        // it is not polled again after a panic
        match catch_unwind(AssertUnwindSafe(|| fetch.poll(cx))) {
            Ok(poll) => poll,
            Err(payload) => Poll::Ready(Err(panicked(&*payload))),
        }
    })
    .await
}

/// The payload may hold anything, a secret too: only that there was a panic is told.
fn panicked(_payload: &(dyn Any + Send)) -> Error {
    Error::new(ErrorKind::Panicked, "the token source panicked")
}

/// Five centuries fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
