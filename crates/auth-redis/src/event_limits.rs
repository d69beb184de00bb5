//! Limits a log event to one line a second for each reason: clients that write to the server decide how
//! often there is one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use auth_core::shared_store::internal::EventLimit;
use tokio::time::Instant;

/// The limit of the events of each reason.
#[derive(Debug)]
pub(crate) struct EventLimits {
    start: Instant,
    by_reason: Mutex<HashMap<&'static str, EventLimit>>,
}

impl EventLimits {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            by_reason: Mutex::default(),
        }
    }

    /// Returns the number of events that were suppressed since the last emitted one, if this event is
    /// to be emitted. Counts it otherwise.
    pub(crate) fn admit(&self, reason: &'static str) -> Option<u64> {
        let mut by_reason = self
            .by_reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let limit = by_reason.entry(reason).or_default();
        limit.admit(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_reason_has_a_limit_of_its_own() {
        let limits = EventLimits::new();
        assert_eq!(limits.admit("one"), Some(0));
        assert_eq!(limits.admit("other"), Some(0));
        assert_eq!(limits.admit("one"), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(limits.admit("one"), Some(1));
        assert_eq!(limits.admit("other"), Some(0));
    }
}
