//! A clock on tokio's time.

use std::time::Duration;

use auth_core::time::{Clock, Now, Sleep};
use tokio::time::Instant;

/// 2025-01-01 00:00:00 UTC: the wall clocks of this crate start here.
pub(crate) const WALL_START: Duration = Duration::from_secs(1_735_689_600);

/// A [`Clock`] on tokio's time, for tests under `start_paused` or `tokio::time::pause`.
///
/// The monotonic and the wall clock both follow [`tokio::time::Instant`]. `tokio::time::advance`
/// moves both, and so does a paused runtime that advances to the next timer when all its tasks wait.
/// The monotonic clock starts at zero, the wall clock at 2025-01-01 00:00:00 UTC. A
/// [`ManualClock`](crate::ManualClock) can move one without the other.
///
/// Do not combine paused time with real sockets, such as those of the servers of this crate: a
/// paused runtime advances the time while a response is in transit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use std::time::Duration;
/// use auth_testing::{TokioClock, auth_core::time::Clock};
///
/// let clock = TokioClock::new();
/// clock.sleep_until(Duration::from_secs(3600)).await; // takes no real time
/// assert_eq!(clock.now().monotonic, Duration::from_secs(3600));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    start: Instant,
}

impl TokioClock {
    /// Creates a clock that starts now. Call this inside the runtime, after its time was paused.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Now {
        let monotonic = self.start.elapsed();
        Now {
            monotonic,
            wall: WALL_START + monotonic,
        }
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        let remaining = deadline.saturating_sub(self.start.elapsed());
        Box::pin(tokio::time::sleep(remaining))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn paused_time_moves_both_clocks() {
        let clock = TokioClock::default();
        let started = clock.now();
        assert_eq!(
            (started.monotonic, started.wall),
            (Duration::ZERO, WALL_START)
        );
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), started.after(Duration::from_secs(90)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_at_its_deadline() {
        let clock = TokioClock::new();
        clock.sleep_until(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now().monotonic, Duration::from_secs(86_400));
        clock.sleep_until(Duration::from_secs(1)).await;
        assert_eq!(clock.now().monotonic, Duration::from_secs(86_400));
        // longer than the runtime's timer can count: it must not overflow
        assert!(futures_util::poll!(clock.sleep_until(Duration::MAX)).is_pending());
    }
}
