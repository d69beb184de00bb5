//! The state of a cache, for health endpoints and support.

use std::time::Duration;

use super::inner::Inner;
use crate::Error;

/// The state of a [`TokenCache`](super::TokenCache) at one moment.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct CacheStatus {
    /// The time for which the current token is still handed out. `None` if there is no usable token.
    pub usable_for: Option<Duration>,
    /// Whether the current token is usable and stale.
    pub stale: bool,
    /// Whether a token request is in flight, or waits for its turn.
    pub in_flight: bool,
    /// The number of token requests so far. An immediate retry after a failed connection is not
    /// counted separately.
    pub token_requests: u64,
    /// The number of tokens so far that another process had requested: see
    /// [`SharedTokenStore`](crate::shared_store::SharedTokenStore).
    pub tokens_from_shared_store: u64,
    /// The number of operations of the shared store that failed or took too long.
    pub shared_store_failures: u64,
    /// The number of tokens received so far. A token that the server returned again is counted
    /// again.
    pub tokens_received: u64,
    /// The number of requests that were replayed with another token after an API rejected the
    /// token that they carried.
    pub replays: u64,
    /// The number of token requests that failed since the last success. While all
    /// caches of one source back off after a denial of the client, at least the number of these
    /// denials.
    pub consecutive_failures: u32,
    /// The error of the last token request, or the denial of the client after which all caches of
    /// one source back off. `None` if the token request succeeded, if there was none, or after
    /// [`clear_backoff`](super::TokenCache::clear_backoff). The error's
    /// [`retry_after`](Error::retry_after) returns the time until the next attempt.
    pub last_error: Option<Error>,
}

impl CacheStatus {
    /// Returns whether a request would get a token without waiting.
    #[must_use]
    pub fn has_usable_token(&self) -> bool {
        self.usable_for.is_some()
    }
}

impl Inner {
    pub(super) fn status(&self) -> CacheStatus {
        let now = self.clock.now();
        let state = self.state();
        let denial = self.client.last_denial(now, self.standing(&state));
        let failure = state.failure.as_ref();
        CacheStatus {
            usable_for: self.slot.usable_for(now),
            stale: self.slot.is_stale(now),
            in_flight: state.in_flight(now).is_some(),
            token_requests: self.counters.token_requests(),
            tokens_from_shared_store: state.tokens_from_store,
            shared_store_failures: self.counters.store_failures(),
            tokens_received: state.tokens_received,
            replays: state.replays(),
            consecutive_failures: {
                let own = failure.map_or(0, |failure| failure.in_a_row);
                own.max(denial.as_ref().map_or(0, |(_, in_a_row)| *in_a_row))
            },
            last_error: {
                let own = failure.map(|failure| {
                    let wait = match (failure.of_client, &denial) {
                        // the backoff has ended
                        (true, None) => Duration::ZERO,
                        _ => failure.next_attempt.saturating_sub(now.monotonic),
                    };
                    failure.error.clone().with_next_attempt(wait)
                });
                own.or(denial.map(|(error, _)| error))
            },
        }
    }
}
