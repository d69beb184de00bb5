//! A clock that moves only when a test moves it.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use auth_core::time::{Clock, Now, Sleep};
use tokio::sync::watch;

use crate::{sync::lock, tokio_clock::WALL_START};

/// A [`Clock`] that stands still until the test moves it.
///
/// Clones are handles to the same clock. The monotonic clock starts at zero, the wall clock at
/// 2025-01-01 00:00:00 UTC. The deadline of a sleep is a time, not a duration. A test therefore
/// waits until the task under test sleeps, and then moves the time:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use auth_testing::{ManualClock, auth_core::time::Clock};
///
/// let clock = ManualClock::new();
/// let sleeper = tokio::spawn(clock.sleep_until(Duration::from_secs(60)));
/// clock.until_sleepers(1).await;
/// assert_eq!(clock.next_deadline(), Some(Duration::from_secs(60)));
///
/// clock.advance(Duration::from_secs(60));
/// sleeper.await.unwrap();
/// assert_eq!(clock.sleepers(), 0);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    shared: Arc<SharedClock>,
}

#[derive(Debug)]
struct SharedClock {
    state: Mutex<State>,
    sleepers: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    now: Now,
    /// Distinguishes sleepers with the same deadline.
    last_sleeper: u64,
    sleepers: BTreeMap<(Duration, u64), Waker>,
}

impl ManualClock {
    /// Creates a clock at its start.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            now: Now {
                monotonic: Duration::ZERO,
                wall: WALL_START,
            },
            last_sleeper: 0,
            sleepers: BTreeMap::new(),
        };
        Self {
            shared: Arc::new(SharedClock {
                state: Mutex::new(state),
                sleepers: watch::Sender::new(0),
            }),
        }
    }

    /// Moves both clocks forward in one step, and wakes the sleepers whose deadline is reached.
    ///
    /// The woken tasks run when their runtime polls them, after this has returned. A test has to
    /// wait for their results.
    pub fn advance(&self, by: Duration) {
        let woken = self.change(|state| {
            state.now = state.now.after(by);
            let later = (
                state.now.monotonic.saturating_add(Duration::from_nanos(1)),
                0,
            );
            let still_asleep = state.sleepers.split_off(&later);
            std::mem::replace(&mut state.sleepers, still_asleep)
        });
        woken.into_values().for_each(Waker::wake);
    }

    /// Sets the wall clock to `wall` after 1970-01-01 00:00:00 UTC, forward or back. The monotonic
    /// clock stays, and no sleeper wakes.
    pub fn set_wall(&self, wall: Duration) {
        self.change(|state| state.now.wall = wall);
    }

    /// Moves the wall clock forward. The monotonic clock stays, and no sleeper wakes.
    pub fn advance_wall(&self, by: Duration) {
        self.change(|state| state.now.wall = state.now.wall.saturating_add(by));
    }

    /// Acts as a machine that was suspended for `duration`: the wall clock moves forward, the
    /// monotonic clock stays, as on Linux, and no sleeper wakes.
    pub fn suspend(&self, duration: Duration) {
        self.advance_wall(duration);
    }

    /// Returns the number of sleepers: sleeps that were polled at least once, and neither woken nor
    /// dropped since.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        lock(&self.shared.state).sleepers.len()
    }

    /// Returns the monotonic time at which the next sleeper wakes. `None` if there is no sleeper.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let state = lock(&self.shared.state);
        state.sleepers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Waits until there are at least `min` sleepers.
    pub async fn until_sleepers(&self, min: usize) {
        let mut sleepers = self.shared.sleepers.subscribe();
        // an error would mean that the sender is gone, and `self` holds it
        let _ = sleepers.wait_for(|sleepers| *sleepers >= min).await;
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.shared.state);
        let result = change(&mut state);
        self.shared.sleepers.send_replace(state.sleepers.len());
        result
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        lock(&self.shared.state).now
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        Box::pin(Sleeper {
            clock: self.clone(),
            deadline,
            number: None,
        })
    }
}

struct Sleeper {
    clock: ManualClock,
    deadline: Duration,
    number: Option<u64>,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (deadline, number) = (self.deadline, self.number);
        // the replaced waker is dropped after the lock, as in `drop`
        let (number, _replaced) = self.clock.change(|state| {
            if state.now.monotonic >= deadline {
                return (None, None);
            }
            let number = number.unwrap_or_else(|| {
                state.last_sleeper += 1;
                state.last_sleeper
            });
            let waker = cx.waker().clone();
            (
                Some(number),
                state.sleepers.insert((deadline, number), waker),
            )
        });
        self.number = number;
        match self.number {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let key = (self.deadline, number);
            // the waker is dropped after the lock: dropping it may run the drop of a task
            let _waker = self.clock.change(|state| state.sleepers.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn advance_wakes_the_sleepers_whose_deadline_is_reached() {
        let clock = ManualClock::new();
        let mut early = clock.sleep_until(SECOND);
        let mut late = clock.sleep_until(3 * SECOND);
        assert_eq!(clock.sleepers(), 0, "not polled yet");
        assert!(poll!(&mut early).is_pending() && poll!(&mut late).is_pending());
        assert!(
            poll!(&mut early).is_pending(),
            "a sleep that is polled twice is one sleeper"
        );
        assert_eq!((clock.sleepers(), clock.next_deadline()), (2, Some(SECOND)));

        clock.advance(SECOND);
        assert_eq!(
            (clock.sleepers(), clock.next_deadline()),
            (1, Some(3 * SECOND))
        );
        assert!(poll!(&mut early).is_ready() && poll!(&mut late).is_pending());
        assert!(
            poll!(clock.sleep_until(SECOND)).is_ready(),
            "the deadline is reached already"
        );

        drop(late);
        assert_eq!((clock.sleepers(), clock.next_deadline()), (0, None));
    }

    #[tokio::test]
    async fn advance_wakes_sleeping_tasks() {
        let clock = ManualClock::new();
        let sleepers = [SECOND, SECOND].map(|at| tokio::spawn(clock.sleep_until(at)));
        clock.until_sleepers(2).await;
        clock.advance(2 * SECOND);
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
    }

    #[tokio::test]
    async fn wall_and_monotonic_clock_move_separately_only_on_request() {
        let clock = ManualClock::default();
        let start = clock.now();
        assert_eq!((start.monotonic, start.wall), (Duration::ZERO, WALL_START));
        clock.advance(SECOND);
        assert_eq!(clock.now(), start.after(SECOND));

        let mut sleeper = clock.sleep_until(2 * SECOND);
        assert!(poll!(&mut sleeper).is_pending());
        clock.suspend(100 * SECOND);
        clock.advance_wall(SECOND);
        assert_eq!(clock.now().monotonic, SECOND);
        assert_eq!(clock.now().wall, WALL_START + 102 * SECOND);
        clock.set_wall(SECOND);
        assert_eq!(clock.clone().now().wall, SECOND);
        assert!(
            poll!(&mut sleeper).is_pending(),
            "only the monotonic clock wakes sleepers"
        );
    }
}
