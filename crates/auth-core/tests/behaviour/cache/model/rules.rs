//! The figures that `RefreshPolicy` documents: the life of a token, and the backoff after failures.

use std::{ops::RangeInclusive, time::Duration};

use auth_core::{ErrorKind, time::Now};
use auth_test_support::secs;

use super::controlled_source::Answer;

/// Covers the rounding of fractions of a lifetime to nanoseconds.
pub(super) const ROUNDING: Duration = Duration::from_micros(1);

/// The expected life of a token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: String,
    /// When the lifetime starts.
    since: Now,
    /// Expired after this time.
    usable_for: Duration,
    /// Stale after this time at the earliest and the latest. The time was drawn once, so that observations
    /// can only narrow the range.
    stale_after: (Duration, Duration),
    /// Whether the token arrived expired although the machine was not suspended.
    pub(super) arrived_expired: bool,
}

impl Token {
    pub(super) fn new(secret: String, sent: Now, arrived: Now, seconds: u64) -> Self {
        let lifetime = secs(seconds);
        let margin = (lifetime / 20)
            .min(secs(30))
            .max((lifetime / 3).min(secs(1)));
        let window = (lifetime * 6 / 25).min(secs(4320));
        let usable_for = lifetime - margin;
        let mut token = Self {
            secret,
            since: sent,
            usable_for,
            stale_after: (
                usable_for.saturating_sub(window * 11 / 8 + ROUNDING),
                (usable_for + ROUNDING).saturating_sub(window * 5 / 8),
            ),
            arrived_expired: false,
        };
        let took = arrived.monotonic - sent.monotonic;
        let slept = arrived.wall.saturating_sub(sent.wall) > took + secs(5);
        // an attempt takes at most ten seconds
        let stood_still = took > secs(10 + 5);
        if seconds == 0 || token.left(arrived).is_none() && !slept && !stood_still {
            token.arrived_expired = true;
            token.since = arrived;
            token.usable_for = secs(1);
            token.stale_after = (secs(1), secs(1));
        }
        token
    }

    /// The age by the clock that has advanced further.
    fn age(&self, now: Now) -> Duration {
        let wall = now.wall.saturating_sub(self.since.wall);
        wall.max(now.monotonic - self.since.monotonic)
    }

    /// Returns how much longer the token is usable, if it is usable.
    pub(super) fn left(&self, now: Now) -> Option<Duration> {
        let left = self.usable_for.saturating_sub(self.age(now));
        (!left.is_zero()).then_some(left)
    }

    /// Returns how long until the token is certainly stale.
    pub(super) fn until_stale(&self, now: Now) -> Duration {
        self.stale_after.1.saturating_sub(self.age(now))
    }

    /// Narrows the range by the observation whether the token is stale now.
    pub(super) fn seen(&mut self, now: Now, stale: bool) {
        let (age, (earliest, latest)) = (self.age(now), &mut self.stale_after);
        if stale {
            assert!(
                age >= *earliest,
                "stale after {age:?}, and not in {earliest:?}–{latest:?}"
            );
            *latest = age.min(*latest);
        } else {
            assert!(
                age < *latest,
                "not stale after {age:?}, but in {earliest:?}–{latest:?}"
            );
            *earliest = age.max(*earliest);
        }
    }
}

/// Returns how long an attempt may take.
pub(super) fn attempt(left: Option<Duration>) -> Duration {
    let room = left.map_or(Duration::MAX, |left| (left / 2).max(secs(1)));
    room.min(secs(10))
}

/// Returns the range of the backoff after the `failures`-th failure in a row.
pub(super) fn backoff(
    answer: Answer,
    failures: u32,
    left: Option<Duration>,
) -> RangeInclusive<Duration> {
    let (kind, asked) = match answer {
        Answer::RetryAfter(kind, asked) => (kind, secs(asked.min(60))),
        Answer::Fails(kind) => (kind, Duration::ZERO),
        Answer::Panics => (ErrorKind::Panicked, Duration::ZERO),
        // a token that expires sooner than the current one is transient
        Answer::ExpiresIn(_) => (ErrorKind::Unavailable, Duration::ZERO),
    };
    let doubled = 1 << (failures - 1).min(16);
    let about = |backoff: Duration, max: Duration| {
        (backoff * 4 / 5 - ROUNDING).min(max)..=(backoff * 6 / 5 + ROUNDING).min(max)
    };
    let own = match (kind, left) {
        (ErrorKind::Denied | ErrorKind::InvalidResponse, _) => {
            about(secs(30 * doubled).min(secs(300)), Duration::MAX)
        }
        (_, None) => about(secs(doubled).min(secs(10)), Duration::MAX),
        (_, Some(left)) => {
            let max = (left / 2).max(Duration::from_millis(100));
            about(secs(doubled).min(secs(60)), max)
        }
    };
    asked.max(*own.start())..=asked.max(*own.end())
}
