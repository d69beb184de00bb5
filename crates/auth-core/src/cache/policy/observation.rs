//! Whether an API accepts a token after it was rejected.

use std::time::Duration;

use crate::time::Now;

/// A rejection is confirmed if no API has accepted the token for this long since. If one has, the
/// token is observed again after this time: the rejection was that of one endpoint.
const PERIOD: Duration = Duration::from_secs(1);

/// The observation of a rejected token that stays in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    generation: u64,
    /// By the monotonic clock.
    since: Duration,
}

impl Observation {
    /// Starts to observe the token of this generation.
    pub(crate) fn start(generation: u64, now: Now) -> Self {
        Self {
            generation,
            since: now.monotonic,
        }
    }

    /// Returns whether the token of this generation is observed.
    pub(crate) fn is_of(self, generation: u64) -> bool {
        self.generation == generation
    }

    /// Returns whether the period has passed.
    pub(crate) fn has_ended(self, now: Now) -> bool {
        now.monotonic.saturating_sub(self.since) >= PERIOD
    }
}
