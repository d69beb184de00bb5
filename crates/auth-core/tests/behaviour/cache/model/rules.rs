//! What `RefreshPolicy` documents, in figures: tokens' lives and the backoff after failures.

use std::{ops::RangeInclusive, time::Duration};

use auth_core::{ErrorKind, time::Now};
use auth_test_support::secs;

use super::controlled_source::Answer;

/// Shares of a lifetime are rounded to nanoseconds, one way or another.
pub(super) const ROUNDING: Duration = Duration::from_micros(1);

/// A token as it should be.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: String,
    /// Counts from here.
    since: Now,
    /// Spent after so long.
    usable_for: Duration,
    /// Due after so long at the earliest and the latest. It was drawn once: what is seen of it can
    /// only narrow this.
    stale_after: (Duration, Duration),
    /// It arrived expired, and not because the machine slept meanwhile.
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
        // an attempt takes ten seconds at most
        let stood_still = took > secs(10 + 5);
        if seconds == 0 || token.left(arrived).is_none() && !slept && !stood_still {
            token.arrived_expired = true;
            token.since = arrived;
            token.usable_for = secs(1);
            token.stale_after = (secs(1), secs(1));
        }
        token
    }

    /// By the clock that has gone further.
    fn age(&self, now: Now) -> Duration {
        let wall = now.wall.saturating_sub(self.since.wall);
        wall.max(now.monotonic - self.since.monotonic)
    }

    /// How much longer it is usable, if it is.
    pub(super) fn left(&self, now: Now) -> Option<Duration> {
        let left = self.usable_for.saturating_sub(self.age(now));
        (!left.is_zero()).then_some(left)
    }

    /// How long until it is stale for certain.
    pub(super) fn until_stale(&self, now: Now) -> Duration {
        self.stale_after.1.saturating_sub(self.age(now))
    }

    /// Takes note of whether it is stale now.
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

/// How long an attempt may take.
pub(super) fn attempt(left: Option<Duration>) -> Duration {
    let room = left.map_or(Duration::MAX, |left| (left / 2).max(secs(1)));
    room.min(secs(10))
}

/// How short and how long the backoff may be after the `failures`-th failure in a row.
pub(super) fn backoff(
    answer: Answer,
    failures: u32,
    left: Option<Duration>,
) -> RangeInclusive<Duration> {
    let (kind, asked) = match answer {
        Answer::RetryAfter(kind, asked) => (kind, Some(secs(asked.clamp(1, 60)))),
        Answer::Fails(kind) => (kind, None),
        Answer::Panics => (ErrorKind::Panicked, None),
        Answer::ExpiresIn(_) => (ErrorKind::InvalidResponse, None),
    };
    let doubled = 1 << (failures - 1).min(16);
    let about = |backoff: Duration, most: Duration| {
        (backoff * 4 / 5 - ROUNDING).min(most)..=(backoff * 6 / 5 + ROUNDING).min(most)
    };
    match (kind, asked, left) {
        (ErrorKind::Denied, asked, _) => {
            let backoff = about(secs(30 * doubled).min(secs(300)), Duration::MAX);
            let asked = asked.unwrap_or_default();
            asked.max(*backoff.start())..=asked.max(*backoff.end())
        }
        (_, Some(asked), _) => asked..=asked,
        (_, None, None) => about(secs(doubled).min(secs(10)), Duration::MAX),
        (_, None, Some(left)) => {
            let most = (left / 2).max(Duration::from_millis(100));
            about(secs(doubled).min(secs(60)), most)
        }
    }
}
