//! The deadlines of the current token, in a quarter of a cache line each.

use std::time::Duration;

use super::policy::Life;
use crate::time::{Now, nanoseconds};

/// A time by both clocks, half as large as [`Now`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// In nanoseconds, like `wall`. A `u64` holds 584 years.
    monotonic: u64,
    wall: u64,
}

impl Deadline {
    /// Returns whether either clock has reached the deadline.
    #[inline]
    pub(super) fn is_reached(self, now: Now) -> bool {
        nanoseconds(now.monotonic) >= self.monotonic || nanoseconds(now.wall) >= self.wall
    }

    pub(super) fn time(self) -> Now {
        Now {
            monotonic: Duration::from_nanos(self.monotonic),
            wall: Duration::from_nanos(self.wall),
        }
    }
}

impl From<Now> for Deadline {
    fn from(time: Now) -> Self {
        Self {
            monotonic: nanoseconds(time.monotonic),
            wall: nanoseconds(time.wall),
        }
    }
}

/// The deadlines of the current token: those of its [`Life`].
///
/// The one that a hit reads comes first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Deadlines {
    /// From here on a read starts a refresh.
    pub(super) stale_at: Deadline,
    /// From here on the token is expired: it is no longer handed out.
    pub(super) usable_until: Deadline,
    expires_at: Deadline,
    /// In nanoseconds.
    lifetime: u64,
}

impl Deadlines {
    /// Returns how much of the token's lifetime has passed.
    pub(super) fn age(&self, now: Now) -> Duration {
        let left = now.until(self.expires_at.time());
        Duration::from_nanos(self.lifetime).saturating_sub(left)
    }
}

impl From<&Life> for Deadlines {
    fn from(life: &Life) -> Self {
        Self {
            stale_at: life.stale_at.into(),
            usable_until: life.usable_until.into(),
            expires_at: life.expires_at.into(),
            lifetime: nanoseconds(life.lifetime),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::policy::RefreshPolicy;

    fn at(monotonic: Duration, wall: Duration) -> Now {
        Now { monotonic, wall }
    }

    #[test]
    fn a_deadline_is_reached_when_its_time_is() {
        let times = [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::new(3, 999_999_999),
            Duration::from_secs(4),
            Duration::new(4, 1),
            Duration::from_secs(100 * 365 * 86_400),
        ];
        let all = || times.map(|monotonic| times.map(|wall| at(monotonic, wall)));
        for deadline in all().as_flattened() {
            assert_eq!(Deadline::from(*deadline).time(), *deadline);
            for now in all().as_flattened() {
                let is_reached = Deadline::from(*deadline).is_reached(*now);
                assert_eq!(is_reached, now.reached(*deadline), "{deadline:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_deadline_beyond_584_years_is_the_last_one() {
        let late = at(Duration::MAX, Duration::MAX);
        let before = Duration::from_nanos(u64::MAX - 1);
        assert!(!Deadline::from(late).is_reached(at(before, before)));
        assert!(Deadline::from(late).is_reached(late));
    }

    #[test]
    fn the_age_is_that_of_the_life() {
        let start = at(Duration::from_secs(10), Duration::from_secs(1_000));
        let policy = RefreshPolicy::default();
        let life = policy.life(start, start, None, Duration::from_secs(7), 0.3);
        let deadlines = Deadlines::from(&life);
        for seconds in [0, 1, 100, 292, 293, 1_000] {
            let now = start.after(Duration::from_secs(seconds));
            assert_eq!(deadlines.age(now), life.age(now));
        }
        assert_eq!(deadlines.age(start), Duration::from_secs(7));
    }
}
