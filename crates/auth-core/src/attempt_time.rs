//! The clock and the deadline of the attempt in which a token source runs.

use std::{future::Future, time::Duration};

use crate::time::AnyClock;

tokio::task_local! {
    static CURRENT: AttemptTime;
}

/// The clock of a cache, and the deadline of its attempt by the monotonic clock. The cache sets it
/// around each call of its source, so that a source does not wait longer than the cache, and by the
/// same clock. Outside a cache: the system's clock, without a deadline.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptTime {
    clock: AnyClock,
    deadline: Option<Duration>,
}

impl AttemptTime {
    pub(crate) fn new(clock: AnyClock, deadline: Duration) -> Self {
        Self {
            clock,
            deadline: Some(deadline),
        }
    }

    /// Runs `source` in this attempt.
    pub(crate) async fn scope<F: Future>(self, source: F) -> F::Output {
        CURRENT.scope(self, source).await
    }

    /// Returns the attempt in which the caller runs.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Returns the time of the monotonic clock.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.now().monotonic
    }

    /// Returns this attempt with more time. `default`: the time of one that has no deadline.
    pub(crate) fn extended(self, more: Duration, default: Duration) -> Self {
        let now = self.clock.now().monotonic;
        let deadline = self.deadline.unwrap_or(now.saturating_add(default));
        Self::new(self.clock, deadline.saturating_add(more))
    }

    pub(crate) fn clock(&self) -> &AnyClock {
        &self.clock
    }

    /// Returns the attempt's remaining time at `now`. Without a deadline there is no end.
    pub(crate) fn left(&self, now: Duration) -> Duration {
        let deadline = self.deadline.unwrap_or(Duration::MAX);
        deadline.saturating_sub(now)
    }

    /// Returns the time since 1970-01-01 00:00:00 UTC.
    pub(crate) fn wall(&self) -> Duration {
        self.clock.now().wall
    }

    /// Returns the output of `future`, or `None` shortly before the attempt ends, after nine tenths of
    /// its remaining time: its error can then name `future`.
    pub(crate) async fn nearly_whole<F: Future>(&self, future: F) -> Option<F::Output> {
        let now = self.clock.now().monotonic;
        match self.deadline {
            Some(deadline) => {
                let left = deadline.saturating_sub(now);
                let deadline = now.saturating_add(left.saturating_sub(left / 10));
                self.clock.before(deadline, future).await
            }
            None => Some(future.await),
        }
    }

    /// Returns the output of `future`, or `None` after `max` or half of the attempt's remaining
    /// time. The attempt then has time left for what follows.
    pub(crate) async fn within<F: Future>(&self, max: Duration, future: F) -> Option<F::Output> {
        let now = self.clock.now().monotonic;
        let left = self.deadline.map(|deadline| deadline.saturating_sub(now));
        let max = left.map_or(max, |left| max.min(left / 2));
        self.clock.before(now.saturating_add(max), future).await
    }
}
