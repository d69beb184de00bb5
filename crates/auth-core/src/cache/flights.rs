//! What is known of token requests: the one under way, and how the last one failed.

use std::time::Duration;

use tokio::sync::watch;

use super::{landing::Outcome, refusal::Allowance, task::Task};
use crate::{Error, time::Now};

/// What is known of token requests; locked for an instant, never across I/O.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// The last one, which may have landed.
    pub(super) last: Option<Flight>,
    /// Flights so far.
    pub(super) count: u64,
    /// Tokens so far.
    pub(super) tokens: u64,
    /// Different ones.
    pub(super) generation: u64,
    pub(super) failure: Option<Failure>,
    pub(super) forced: Allowance,
    pub(super) replays: u64,
    /// Flights that came back with a token another process had asked for.
    pub(super) shared: u64,
    /// Of the last flight, if there is a store. Its sender goes when what came has been saved.
    pub(super) unsettled: Option<watch::Receiver<Option<Outcome>>>,
}

#[derive(Debug)]
pub(super) struct Flight {
    pub(super) number: u64,
    /// None once it has landed.
    pub(super) ticket: Option<Ticket>,
    /// Whether somebody waits for it whose token an API refused.
    pub(super) forced: bool,
    /// None once it has landed, if it does not go on to keep the token warm: it takes 2 kB.
    pub(super) task: Option<Task>,
}

/// What a waiter holds.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    pub(super) dead_at: Duration,
}

/// The last attempt failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) in_a_row: u32,
    pub(super) next_attempt: Duration,
}

impl Ticket {
    /// Landed without us, gone with its runtime, or too old.
    fn is_void(&self, now: Now) -> bool {
        now.monotonic >= self.dead_at || self.outcome.has_changed().is_err()
    }
}

impl Flights {
    /// What goes when what is under way is over; `None` if nothing is.
    pub(super) fn unsettled(&self) -> Option<watch::Receiver<Option<Outcome>>> {
        let ticket = self.last.as_ref().and_then(|last| last.ticket.as_ref());
        let outcome = ticket.map(|ticket| &ticket.outcome);
        let outcome = outcome.or(self.unsettled.as_ref())?;
        outcome.has_changed().is_ok().then(|| outcome.clone())
    }

    /// The flight that is under way, if there is one and it is alive.
    pub(super) fn under_way(&self, now: Now) -> Option<&Ticket> {
        let ticket = self.last.as_ref()?.ticket.as_ref()?;
        (!ticket.is_void(now)).then_some(ticket)
    }

    /// The error that callers get until the next attempt is due.
    pub(super) fn backing_off(&self, now: Now) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let wait = failure.next_attempt.checked_sub(now.monotonic)?;
        (!wait.is_zero()).then(|| failure.error.clone().with_retry_after(wait))
    }

    /// Ends the task of the last flight, under way or waiting to start the next.
    pub(super) fn abort(&mut self) {
        if let Some(task) = self.last.take().and_then(|flight| flight.task) {
            task.abort();
        }
    }

    pub(super) fn last_is(&self, number: u64) -> bool {
        self.last
            .as_ref()
            .is_some_and(|flight| flight.number == number)
    }

    pub(super) fn status(&self, now: Now) -> FlightStatus {
        FlightStatus {
            under_way: self.under_way(now).is_some(),
            shared: self.shared,
            tokens: self.tokens,
            replays: self.replays,
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
    pub(super) shared: u64,
    pub(super) tokens: u64,
    pub(super) replays: u64,
    pub(super) failures_in_a_row: u32,
    pub(super) error: Option<Error>,
}
