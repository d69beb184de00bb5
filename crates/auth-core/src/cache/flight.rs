//! Single flight: one token request at a time, whose outcome, success or failure, goes to everybody
//! who waits.
//!
//! A flight is a task of its own: dropping a caller neither stops nor repeats it. It does not hold
//! the cache: when the last handle is dropped, the task ends.

use std::{
    pin::pin,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    Shared,
    flights::{Flight, Flights, Ticket},
    journey::Journey,
    sync::MutexGuard,
    task::Runtime,
};
use crate::{AccessToken, Error, ErrorKind, time::Now};

/// How often a waiter looks for another flight when the one it was on has gone, for instance with
/// the runtime that drove it.
const TAKEOVERS: usize = 8;

/// After its deadline a flight has this long to land before it is dead to everybody: its runtime
/// may be busy.
const GRACE: Duration = Duration::from_millis(500);

/// For what is done in the store after an attempt.
const SETTLING: Duration = Duration::from_secs(20);

enum Boarding {
    /// Somebody's token has just come.
    Landed(AccessToken),
    Waiting(Ticket),
}

impl Shared {
    /// The token of the flight under way or, if there is none, of a new one.
    pub(super) async fn wait(self: &Arc<Self>) -> Result<AccessToken, Error> {
        for _ in 0..TAKEOVERS {
            // waiting takes a timer, even if another runtime drives the flight
            Runtime::current()?;
            let mut ticket = match self.board()? {
                Boarding::Landed(token) => return Ok(token),
                Boarding::Waiting(ticket) => ticket,
            };
            let landed = pin!(ticket.outcome.wait_for(Option::is_some));
            if let Some(Ok(outcome)) = self.clock.before(ticket.dead_at, landed).await
                && let Some(outcome) = outcome.as_ref()
            {
                let arrival = outcome.as_ref().map_err(Error::clone)?;
                let now = self.clock.now();
                // thousands may look at the same moment: each thread at its own copy
                let mine = self.slot.usable(now, |entry| entry.token.mine().clone());
                let mine = mine.or_else(|| arrival.usable(now));
                // we may have been polled long after it came
                if let Some(token) = mine {
                    return Ok(token);
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

    pub(super) fn take_off(
        self: &Arc<Self>,
        flights: &mut Flights,
        now: Now,
    ) -> Result<Ticket, Error> {
        let runtime = Runtime::current()?;
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
            store: self.store.clone(),
            clock: self.clock.clone(),
            outcome: sender,
        };
        flights.unsettled = self.store.is_some().then(|| outcome.clone());
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
            forced: false,
            task: Some(task),
        });
        Ok(ticket)
    }

    /// Completes when nothing is under way.
    pub(super) async fn settled(&self) {
        let unsettled = || self.flights().unsettled();
        let settled = async {
            while let Some(mut outcome) = unsettled() {
                while outcome.changed().await.is_ok() {}
            }
        };
        // a runtime that is kept and not driven drops nothing, and comes to no end either
        let longest = self.policy.attempt(None).saturating_add(SETTLING);
        let end = self.clock.now().monotonic.saturating_add(longest);
        let _ = self.clock.before(end, settled).await;
    }

    pub(super) fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Five centuries fit.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
