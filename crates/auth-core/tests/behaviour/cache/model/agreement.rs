//! Compares the status of the cache with the reference.

use auth_core::{CacheStatus, Error};

use super::reference::Reference;

impl Reference {
    /// Reads the random numbers of the cache from its status, and asserts that they are within bounds.
    pub(super) fn learn(&mut self, status: &CacheStatus) {
        if let Some(token) = self
            .token
            .as_mut()
            .filter(|token| token.left(self.now).is_some())
        {
            token.seen(self.now, status.stale);
        }
        let retry_after = status.last_error.as_ref().and_then(Error::retry_after);
        if let (Some(failure), Some(retry_after)) = (&mut self.failure, retry_after)
            && failure.next_attempt.is_none()
        {
            assert!(
                failure.backoff.contains(&retry_after),
                "{retry_after:?} is not in {:?}",
                failure.backoff
            );
            failure.next_attempt = Some(self.now.monotonic + retry_after);
        }
    }

    /// Asserts that the status of the cache is that of the reference.
    pub(super) fn agrees(&self, status: &CacheStatus) {
        assert_eq!(status.usable_for, self.left(), "usable for");
        assert!(
            !status.stale || self.left().is_some(),
            "stale, and not usable"
        );
        assert_eq!(status.in_flight, self.fetch.is_some(), "requesting");
        assert_eq!(status.token_requests, self.fetches, "token requests");
        assert_eq!(status.tokens_received, self.tokens, "tokens");
        let failure = self.failure.as_ref();
        assert_eq!(
            status.consecutive_failures,
            failure.map_or(0, |f| f.in_a_row),
            "failures"
        );
        let error = status.last_error.as_ref();
        assert_eq!(
            error.map(Error::kind),
            failure.map(|f| f.kind),
            "last error"
        );
        let wait = failure.map(|_| self.backoff_left());
        assert_eq!(error.and_then(Error::retry_after), wait, "next attempt");
    }
}
