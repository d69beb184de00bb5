//! The backoff after a failure.

use std::time::Duration;

/// Each backoff is up to this much longer or shorter, at random.
const JITTER: f64 = 0.2;
/// The minimum backoff while a token is usable.
pub(super) const MIN: Duration = Duration::from_millis(100);

/// A backoff that doubles with each consecutive failure, up to a maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub(super) initial: Duration,
    pub(super) max: Duration,
}

impl Backoff {
    /// Returns the backoff after `failures` consecutive failures, without jitter.
    pub(super) fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.initial.saturating_mul(1 << doublings).min(self.max)
    }
}

/// Maps `draw`, uniform in 0–1, to a factor in 0.8–1.2 for the backoff.
pub(super) fn jitter(draw: f64) -> f64 {
    1.0 + JITTER * (2.0 * draw - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind, RefreshPolicy};

    fn backoff(error: &Error, failures: u32, usable_for: Option<u64>) -> f64 {
        let usable_for = usable_for.map(Duration::from_secs);
        let policy = RefreshPolicy::default();
        policy
            .backoff(error, failures, usable_for, 0.5)
            .as_secs_f64()
    }

    #[test]
    fn transient_failures_back_off_for_at_most_half_of_the_time_a_token_remains_usable() {
        let error = Error::connection("refused");
        assert_eq!(backoff(&error, 1, None), 1.0);
        assert_eq!(backoff(&error, 3, None), 4.0);
        assert_eq!(backoff(&error, 40, None), 10.0);
        assert_eq!(backoff(&error, u32::MAX, Some(10_000)), 60.0);
        assert_eq!(backoff(&error, 40, Some(30)), 15.0);
        assert_eq!(backoff(&error, 40, Some(0)), 0.1);
    }

    #[test]
    fn the_backoff_after_a_denial_does_not_depend_on_the_token() {
        let denied = Error::new(ErrorKind::Denied, "no");
        assert_eq!(backoff(&denied, 1, None), 30.0);
        assert_eq!(backoff(&denied, 2, Some(1)), 60.0);
        assert_eq!(backoff(&denied, 9, None), 300.0);
    }

    #[test]
    fn retry_after_lengthens_the_backoff_within_bounds() {
        let busy = |secs| {
            Error::new(ErrorKind::Unavailable, "busy")
                .with_server_retry_after(Duration::from_secs(secs))
        };
        assert_eq!(backoff(&busy(7), 1, Some(1)), 7.0);
        assert_eq!(backoff(&busy(0), 1, None), 1.0);
        assert_eq!(backoff(&busy(7000), 1, None), 60.0);
        assert_eq!(
            backoff(&busy(7), 40, None),
            10.0,
            "a short Retry-After does not shorten it"
        );
        assert_eq!(backoff(&busy(0), 1, Some(0)), 0.1);
        let denied = |secs| {
            Error::new(ErrorKind::Denied, "no").with_server_retry_after(Duration::from_secs(secs))
        };
        assert_eq!(
            backoff(&denied(0), 1, None),
            30.0,
            "a short Retry-After does not shorten it"
        );
        assert_eq!(backoff(&denied(50), 1, None), 50.0);
    }

    #[test]
    fn backoffs_are_spread() {
        let error = Error::connection("refused");
        let at = |draw| RefreshPolicy::default().backoff(&error, 1, None, draw);
        assert_eq!(at(0.0), Duration::from_millis(800));
        assert_eq!(at(1.0), Duration::from_millis(1200));
    }
}
