//! Limits a log event to one line a second for each reason: clients that write to the server decide how
//! often there is one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

/// When an event was emitted last, and how many were suppressed since then, by its reason.
#[derive(Debug, Default)]
pub(crate) struct EventLimit(Mutex<HashMap<&'static str, (Instant, u64)>>);

impl EventLimit {
    /// Returns the number of events that were suppressed since the last emitted one, if this event is
    /// to be emitted. Counts it otherwise.
    pub(crate) fn admit(&self, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let mut emitted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, suppressed)) = emitted.get_mut(reason) else {
            emitted.insert(reason, (now, 0));
            return Some(0);
        };
        if now.duration_since(*since) < PERIOD {
            *suppressed = suppressed.saturating_add(1);
            return None;
        }
        *since = now;
        Some(std::mem::take(suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_event_a_second_for_each_reason_counts_the_suppressed_ones() {
        let limit = EventLimit::default();
        assert_eq!(limit.admit("one"), Some(0));
        assert_eq!(limit.admit("other"), Some(0));
        for _ in 0..3 {
            tokio::time::advance(Duration::from_millis(333)).await;
            assert_eq!(limit.admit("one"), None);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(limit.admit("one"), Some(3));
        assert_eq!(limit.admit("other"), Some(0));
        assert_eq!(limit.admit("one"), None);
    }
}
