//! The three deadlines of a token.

use std::time::Duration;

use crate::time::Now;

/// A token that is received expired, or whose lifetime is shorter than this, is handed out for this
/// long. No other token is requested in this time.
pub(super) const RECEIVED_EXPIRED_FOR: Duration = Duration::from_secs(1);
/// If the wall clock advances this much further than the monotonic one during a request, the
/// machine was suspended, or its clock was set.
const JUMP: Duration = Duration::from_secs(5);

/// The deadlines of one token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Life {
    /// From here on a read starts a refresh.
    pub(crate) stale_at: Now,
    /// From here on the token is expired: it is no longer handed out.
    pub(crate) usable_until: Now,
    /// The token's own end.
    pub(crate) expires_at: Now,
    pub(crate) lifetime: Duration,
    /// Whether the token was received expired, and is handed out because there is no better one.
    pub(crate) received_expired: bool,
}

impl Life {
    /// Returns whether the token expired while it was requested, in at most `max`, and not because
    /// the machine or the process was suspended. A token that expired during a suspension is not
    /// handed out.
    pub(super) fn expired_in_transit(&self, requested: Now, received: Now, max: Duration) -> bool {
        let monotonic = received.monotonic.saturating_sub(requested.monotonic);
        let wall = received.wall.saturating_sub(requested.wall);
        let took_no_longer = monotonic <= max.saturating_add(JUMP);
        received.reached(self.usable_until)
            && wall <= monotonic.saturating_add(JUMP)
            && took_no_longer
    }

    /// Returns how much of the token's lifetime has passed.
    pub(crate) fn age(&self, now: Now) -> Duration {
        self.lifetime.saturating_sub(now.until(self.expires_at))
    }

    /// Returns how much longer the token is usable.
    pub(crate) fn usable_for(&self, now: Now) -> Duration {
        now.until(self.usable_until)
    }
}
