//! How long to pause after a failure.

use std::time::Duration;

use super::{RefreshPolicy, SECOND};
use crate::Error;

/// Pauses are this much longer or shorter, at random.
const JITTER: f64 = 0.2;
/// While a token is usable a pause is never shortened below this.
const SHORTEST: Duration = Duration::from_millis(100);

/// A pause that doubles with each failure in a row, up to a bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Backoff {
    fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

impl RefreshPolicy {
    /// How long to pause after the `failures`-th failure in a row, while a token is usable for
    /// `left`; `draw` in 0–1 is the jitter.
    pub(crate) fn backoff(
        &self,
        error: &Error,
        failures: u32,
        left: Option<Duration>,
        draw: f64,
    ) -> Duration {
        let jitter = 1.0 + JITTER * (2.0 * draw - 1.0);
        let asked = error.retry_after();
        let asked = asked.map(|asked| asked.min(self.longest_retry_after).max(SECOND));
        if !error.is_transient() {
            let pause = self.refused.pause(failures).mul_f64(jitter);
            return pause.max(asked.unwrap_or_default());
        }
        if let Some(asked) = asked {
            return asked;
        }
        let pause = self.transient.pause(failures);
        match left {
            Some(left) => pause.mul_f64(jitter).min((left / 2).max(SHORTEST)),
            None => pause.min(self.longest_without_token).mul_f64(jitter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn pause(error: &Error, failures: u32, left: Option<u64>) -> f64 {
        let left = left.map(Duration::from_secs);
        let policy = RefreshPolicy::default();
        policy.backoff(error, failures, left, 0.5).as_secs_f64()
    }

    #[test]
    fn transient_failures_back_off_and_never_past_half_of_what_is_left() {
        let error = Error::connection("refused");
        assert_eq!(pause(&error, 1, None), 1.0);
        assert_eq!(pause(&error, 3, None), 4.0);
        assert_eq!(pause(&error, 40, None), 10.0);
        assert_eq!(pause(&error, u32::MAX, Some(10_000)), 60.0);
        assert_eq!(pause(&error, 40, Some(30)), 15.0);
        assert_eq!(pause(&error, 40, Some(0)), 0.1);
    }

    #[test]
    fn a_refusal_waits_long_whatever_is_left() {
        let refused = Error::new(ErrorKind::Refused, "no");
        assert_eq!(pause(&refused, 1, None), 30.0);
        assert_eq!(pause(&refused, 2, Some(1)), 60.0);
        assert_eq!(pause(&refused, 9, None), 300.0);
    }

    #[test]
    fn retry_after_wins_within_bounds() {
        let busy = |secs| {
            Error::new(ErrorKind::Unavailable, "busy").with_retry_after(Duration::from_secs(secs))
        };
        assert_eq!(pause(&busy(7), 1, Some(1)), 7.0);
        assert_eq!(pause(&busy(0), 1, None), 1.0);
        assert_eq!(pause(&busy(7000), 1, None), 60.0);
        let refused =
            |secs| Error::new(ErrorKind::Refused, "no").with_retry_after(Duration::from_secs(secs));
        assert_eq!(
            pause(&refused(0), 1, None),
            30.0,
            "no way around the lock-out"
        );
        assert_eq!(pause(&refused(50), 1, None), 50.0);
    }

    #[test]
    fn pauses_are_spread() {
        let error = Error::connection("refused");
        let at = |draw| RefreshPolicy::default().backoff(&error, 1, None, draw);
        assert_eq!(at(0.0), Duration::from_millis(800));
        assert_eq!(at(1.0), Duration::from_millis(1200));
    }
}
