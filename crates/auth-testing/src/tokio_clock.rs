//! Tokio's own time as both clocks.

use std::time::Duration;

use auth_core::time::{Clock, Now, Sleep};
use tokio::time::Instant;

/// 2025-01-01 00:00:00 UTC, where the clocks of this crate start.
pub(crate) const WALL_START: Duration = Duration::from_secs(1_735_689_600);

/// A [`Clock`] on tokio's time, for tests under `start_paused` or `tokio::time::pause`.
///
/// Both of its clocks follow [`tokio::time::Instant`], so that `tokio::time::advance`, and the leap
/// that a paused runtime takes when all its tasks wait, move them together. The monotonic clock
/// starts at zero, the wall clock at 2025-01-01 00:00:00 UTC. To move the two apart, take a
/// [`ManualClock`](crate::ManualClock).
///
/// Real sockets do not go together with paused time: it leaps while an answer is on its way.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use std::time::Duration;
/// use auth_testing::{TokioClock, auth_core::time::Clock};
///
/// let clock = TokioClock::new();
/// clock.sleep_until(Duration::from_secs(3600)).await; // at once
/// assert_eq!(clock.now().monotonic, Duration::from_secs(3600));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    start: Instant,
}

impl TokioClock {
    /// A clock that starts now. Made inside the runtime, after its time was paused.
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
        let left = deadline.saturating_sub(self.start.elapsed());
        Box::pin(tokio::time::sleep(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn paused_time_drives_both_clocks() {
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
    async fn sleeps_on_the_time_it_tells() {
        let clock = TokioClock::new();
        clock.sleep_until(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now().monotonic, Duration::from_secs(86_400));
        clock.sleep_until(Duration::from_secs(1)).await;
        assert_eq!(clock.now().monotonic, Duration::from_secs(86_400));
        // Longer than the runtime's timer can count; it must not overflow.
        assert!(futures_util::poll!(clock.sleep_until(Duration::MAX)).is_pending());
    }
}
