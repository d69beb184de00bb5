//! Waits for a turn: the right of a fetch to send a token request.

use std::{
    future::{pending, poll_fn},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    client::{Client, ClientState},
    denials::{Standing, Start},
    turns::GRACE,
};
use crate::{Error, ErrorKind};

/// A fetch waits for its turn this much longer than an attempt takes if the token endpoint answers
/// no token request of the source in the meantime. It is longer than the time after which turns
/// that are never returned end, and after which fetches that do not run are overtaken.
const PATIENCE: Duration = Duration::from_secs(2);
/// A waiting fetch looks this often whether those before it run, and whether a caller still waits
/// for it.
const BETWEEN_POLLS: Duration = Duration::from_secs(1);

/// The right to send a token request. It is returned on drop.
pub(super) struct Turn {
    client: Arc<Client>,
    number: u64,
    pub(super) start: Start,
}

/// The times of a fetch that waits for its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// How long the token request may take.
    pub(super) attempt: Duration,
    /// The attempt timeout.
    pub(super) patience: Duration,
}

/// A fetch in the queue.
struct Place<'a, W> {
    client: &'a Arc<Client>,
    number: Option<u64>,
    standing: Standing,
    attempt: Duration,
    withdraw: W,
}

impl Client {
    /// Takes a turn if it is free, for a token request with this `deadline`.
    pub(super) fn try_turn(
        self: &Arc<Self>,
        standing: Standing,
        deadline: Duration,
    ) -> Option<Turn> {
        let now = self.clock.now().monotonic;
        let mut state = self.state();
        if state.denials.backing_off(now, standing).is_some() {
            return None;
        }
        let ends_at = ends_at(deadline);
        let number = state.turns.take(None, standing.rank, now, ends_at)?;
        Some(self.turn_of(&mut state, standing, number, now))
    }

    /// Waits for a turn. `postpone` receives the time at which the fetch is abandoned if nothing is
    /// heard of it. `withdraw` stops the task of the fetch if no caller needs it any more, and
    /// returns whether it did.
    ///
    /// # Errors
    /// The denial of the client, if the cache backs off meanwhile. A timeout, if the token endpoint
    /// answers no token request of this source for longer than an attempt takes.
    pub(super) async fn turn(
        self: &Arc<Self>,
        standing: Standing,
        times: Times,
        postpone: impl Fn(Duration),
        withdraw: impl Fn() -> bool,
    ) -> Result<Turn, Error> {
        let mut place = Place {
            client: self,
            number: None,
            standing,
            attempt: times.attempt,
            withdraw,
        };
        let entered_at = self.clock.now().monotonic;
        let mut announced = Duration::ZERO;
        loop {
            let (answered_at, look_again_at) = {
                let state = self.state();
                (state.answered_at, state.turns.look_again_at())
            };
            let since = entered_at.max(answered_at);
            let gives_up_at = since
                .saturating_add(times.patience)
                .saturating_add(PATIENCE);
            if gives_up_at > announced {
                postpone(gives_up_at.saturating_add(GRACE));
                announced = gives_up_at;
            }
            let taken = poll_fn(|cx| place.poll(cx));
            // the fetches that come first may stop running at any time, and then nothing wakes this one
            let now = self.clock.now().monotonic;
            let mut until = gives_up_at.min(now.saturating_add(BETWEEN_POLLS));
            if look_again_at > now {
                until = until.min(look_again_at);
            }
            match self.clock.before(until, taken).await {
                Some(Some(taken)) => return taken,
                // the task ends at this await
                Some(None) => return pending().await,
                None => {}
            }
            let is_answered = self.state().answered_at > answered_at;
            if self.clock.now().monotonic >= gives_up_at && !is_answered {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "the token request waited for its turn, and the token endpoint responded to no \
                     other token request of this client within the attempt timeout",
                ));
            }
        }
    }

    fn turn_of(
        self: &Arc<Self>,
        state: &mut ClientState,
        standing: Standing,
        number: u64,
        now: Duration,
    ) -> Turn {
        Turn {
            client: Arc::clone(self),
            number,
            start: state.denials.start(now, self.credentials(), standing),
        }
    }
}

impl<W: Fn() -> bool> Place<'_, W> {
    /// Returns the turn, or `None` if the fetch is withdrawn.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Turn, Error>>> {
        if (self.withdraw)() {
            return Poll::Ready(None);
        }
        let waker = cx.waker().clone();
        let (client, standing) = (self.client, self.standing);
        let now = client.clock.now().monotonic;
        let mut state = client.state();
        if let Some(error) = state.denials.backing_off(now, standing) {
            return Poll::Ready(Some(Err(error)));
        }
        let ends_at = ends_at(now.saturating_add(self.attempt));
        let taken = state.turns.take(self.number, standing.rank, now, ends_at);
        let mut replaced = None;
        let outcome = match taken {
            Some(number) => {
                self.number = None;
                let turn = client.turn_of(&mut state, standing, number, now);
                Poll::Ready(Some(Ok(turn)))
            }
            None => {
                let (number, before) = state.turns.wait(self.number, standing.rank, waker);
                self.number = Some(number);
                replaced = before;
                Poll::Pending
            }
        };
        // a turn may have ended that its holder did not return, or the next fetch may be another one
        let next = state.turns.next();
        drop(state);
        drop(replaced);
        next.into_iter()
            .filter(|next| !next.will_wake(cx.waker()))
            .for_each(Waker::wake);
        outcome
    }
}

impl<W> Drop for Place<'_, W> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut left = None;
            self.client.change(|state| {
                left = state.turns.leave(number, self.standing.rank);
                state.turns.next()
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.client.clock.now().monotonic;
        self.client.change(|state| {
            state.turns.release(self.number, now);
            state.turns.next()
        });
    }
}

/// Returns the time at which the turn of a token request with this deadline ends even if it was not
/// returned.
fn ends_at(deadline: Duration) -> Duration {
    deadline.saturating_add(GRACE)
}
