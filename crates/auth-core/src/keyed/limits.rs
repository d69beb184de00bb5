//! How many values a map holds, and for how long without use.

use std::time::Duration;

use crate::Error;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) most: usize,
    pub(crate) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            most: 10_000,
            idle: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self { most, idle } = *self;
        if most == 0 {
            return Err(Error::configuration(
                "limits: expected to keep at least 1 key, got 0",
            ));
        }
        if idle < SECOND {
            return Err(Error::configuration(format!(
                "limits: expected to keep a key at least 1 s after its last use, got {idle:?}"
            )));
        }
        Ok(())
    }

    /// How many go at once when there are too many, so that not each insert searches for them.
    pub(crate) fn share(&self) -> usize {
        (self.most / 8).max(1)
    }

    /// The seconds between two searches for what is idle.
    pub(crate) fn pause(&self) -> u64 {
        (self.idle.as_secs() / 16).max(1)
    }

    /// Whether something is idle at second `now`. Its last use may have been late in its second.
    pub(crate) fn is_idle(&self, last_used: u64, now: u64) -> bool {
        let idle = self.idle.as_secs() + u64::from(self.idle.subsec_nanos() > 0);
        now.saturating_sub(last_used) > idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_keep_nothing_are_refused() {
        let error = |most, idle| Limits { most, idle }.check().unwrap_err().to_string();
        assert!(error(0, SECOND).contains("at least 1 key, got 0"));
        assert!(
            error(1, Duration::from_millis(999))
                .contains("at least 1 s after its last use, got 999ms")
        );
        assert!(
            Limits {
                most: 1,
                idle: SECOND
            }
            .check()
            .is_ok()
        );
        assert!(Limits::default().check().is_ok());
    }

    #[test]
    fn nothing_is_idle_before_its_time() {
        let limits = Limits {
            most: 1,
            idle: Duration::from_millis(2_500),
        };
        // used at 10.999 s, say: 2.001 s ago at 13 s
        assert!(!limits.is_idle(10, 13));
        assert!(limits.is_idle(10, 14));
        assert!(!limits.is_idle(10, 5), "a clock that goes back");
    }
}
