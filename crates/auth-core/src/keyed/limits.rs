//! The capacity and the time to idle of a map.

use std::time::Duration;

use crate::Error;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_capacity: usize,
    pub(crate) time_to_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_capacity: 10_000,
            time_to_idle: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self {
            max_capacity,
            time_to_idle,
        } = *self;
        if max_capacity == 0 {
            return Err(Error::configuration(
                "max_capacity: expected at least 1, got 0",
            ));
        }
        if time_to_idle < SECOND {
            return Err(Error::configuration(format!(
                "time_to_idle: expected at least 1 s, got {time_to_idle:?}"
            )));
        }
        Ok(())
    }

    /// Returns how many entries are evicted at once when there are too many, so that not each
    /// insert searches for them.
    pub(crate) fn eviction_batch(&self) -> usize {
        (self.max_capacity / 8).max(1)
    }

    /// Returns the maximum number of further keys of the entries.
    pub(crate) fn max_aliases(&self) -> usize {
        self.max_capacity.saturating_mul(4)
    }

    /// Returns the seconds between two searches for idle entries.
    pub(crate) fn search_interval(&self) -> u64 {
        (self.time_to_idle.as_secs() / 16).max(1)
    }

    /// Returns whether an entry is idle at second `now`. Its last use may have been late in its
    /// second.
    pub(crate) fn is_idle(&self, last_used: u64, now: u64) -> bool {
        let time_to_idle = self.time_to_idle;
        let part = u64::from(time_to_idle.subsec_nanos() > 0);
        let seconds = time_to_idle.as_secs().saturating_add(part);
        now.saturating_sub(last_used) > seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_too_small_are_errors() {
        let limits = |max_capacity, time_to_idle| Limits {
            max_capacity,
            time_to_idle,
        };
        let error = |capacity, idle| limits(capacity, idle).check().unwrap_err().to_string();
        assert!(error(0, SECOND).contains("at least 1, got 0"));
        assert!(error(1, Duration::from_millis(999)).contains("at least 1 s, got 999ms"));
        assert!(limits(1, SECOND).check().is_ok());
        assert!(Limits::default().check().is_ok());
    }

    #[test]
    fn no_entry_is_idle_before_its_time() {
        let limits = Limits {
            max_capacity: 1,
            time_to_idle: Duration::from_millis(2_500),
        };
        // used at 10.999 s, say: 2.001 s ago at 13 s
        assert!(!limits.is_idle(10, 13));
        assert!(limits.is_idle(10, 14));
        assert!(!limits.is_idle(10, 5), "a clock that goes back");
    }
}
