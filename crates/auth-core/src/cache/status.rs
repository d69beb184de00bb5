//! How a cache fares, for health endpoints and support.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use super::{Shared, flights::FlightStatus};
use crate::Error;

/// How a [`TokenCache`](super::TokenCache) fares at one moment.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Status {
    /// How long the current token will be handed out. `None`: there is no usable one.
    pub usable_for: Option<Duration>,
    /// Whether the current token is due for renewal.
    pub due: bool,
    /// Whether a token request is under way.
    pub requesting: bool,
    /// Token requests so far. A second attempt at once, after a connection failed, is not counted
    /// apart.
    pub token_requests: u64,
    /// Tokens so far that another process had asked for: see [`SharedTokenStore`](crate::SharedTokenStore).
    pub shared: u64,
    /// How often the shared store did not do what it was asked to, or not in time.
    pub store_failures: u64,
    /// Tokens received so far, the same one again included.
    pub tokens: u64,
    /// Requests that are or were sent a second time, with another token, because an API refused
    /// the first.
    pub replays: u64,
    /// Token requests that failed since the last that succeeded.
    pub failures_in_a_row: u32,
    /// Why the last token request failed, if it did; its
    /// [`retry_after`](Error::retry_after) says when the next attempt is due.
    pub last_error: Option<Error>,
}

impl Status {
    /// Whether a request would find a token at once.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.usable_for.is_some()
    }
}

impl Shared {
    pub(super) fn status(&self) -> Status {
        let now = self.clock.now();
        let FlightStatus {
            under_way,
            shared,
            tokens,
            replays,
            failures_in_a_row,
            error,
        } = self.flights().status(now);
        Status {
            usable_for: self.slot.left(now),
            due: self.slot.is_due(now),
            requesting: under_way,
            token_requests: self.requests.load(Relaxed),
            shared,
            store_failures: self.store_failures.load(Relaxed),
            tokens,
            replays,
            failures_in_a_row,
            last_error: error,
        }
    }
}
