//! Limits a log event to one line a second.

use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(1);

/// Emits an event at most once a second, and counts the suppressed ones.
#[derive(Debug, Default)]
pub struct EventLimit {
    /// The time of the last emitted event.
    emitted_at: Option<Duration>,
    suppressed: u64,
}

impl EventLimit {
    /// Returns the number of events that were suppressed since the last emitted one, if this event
    /// is to be emitted. Counts it otherwise. `now` is the time by one monotonic clock.
    pub fn admit(&mut self, now: Duration) -> Option<u64> {
        let since = self.emitted_at.map(|at| now.saturating_sub(at));
        if since.is_some_and(|since| since < PERIOD) {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.emitted_at = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_a_second_counts_the_suppressed_ones() {
        let mut limit = EventLimit::default();
        let mut admit = |milliseconds| limit.admit(Duration::from_millis(milliseconds));
        assert_eq!(admit(0), Some(0));
        assert_eq!([0, 500, 999].map(&mut admit), [None; 3]);
        assert_eq!(admit(1000), Some(3));
        assert_eq!(admit(1999), None);
        assert_eq!(admit(9000), Some(1));
        assert_eq!(admit(u64::MAX), Some(0));
    }
}
