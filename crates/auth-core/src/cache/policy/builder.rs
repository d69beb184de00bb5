//! Configures a [`RefreshPolicy`], and checks it.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    backoff::Backoff,
    refresh_policy::{Fraction, MAX_LIFETIME, RefreshPolicy, SECOND},
};
use crate::Error;

/// The largest `max_retry_after`: a client retries within an hour.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Builds a [`RefreshPolicy`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct RefreshPolicyBuilder {
    policy: RefreshPolicy,
}

impl RefreshPolicy {
    /// Starts with the defaults.
    #[must_use]
    pub fn builder() -> RefreshPolicyBuilder {
        RefreshPolicyBuilder {
            policy: Self::default(),
        }
    }
}

impl RefreshPolicyBuilder {
    /// Sets the margin: a token expires for the cache this long before its own end. Given as a
    /// fraction of the token's lifetime, capped at `max`. Default: 0.05, at most 30 s.
    #[must_use]
    pub fn margin(mut self, of_lifetime: f64, max: Duration) -> Self {
        self.policy.margin = Fraction { of_lifetime, max };
        self
    }

    /// Sets the minimum margin. For a lifetime of less than three times this, the minimum is a
    /// third of the lifetime. Default: 1 s, because servers count in whole seconds.
    #[must_use]
    pub fn min_margin(mut self, min: Duration) -> Self {
        self.policy.min_margin = min;
        self
    }

    /// Sets the refresh window: a token becomes stale this long before it expires, and the next
    /// read refreshes it in the background. Given as a fraction of the token's lifetime, capped at
    /// `max`. Default: 0.24, at most 72 min.
    #[must_use]
    pub fn window(mut self, of_lifetime: f64, max: Duration) -> Self {
        self.policy.window = Fraction { of_lifetime, max };
        self
    }

    /// Sets how much longer or shorter each token's window is, at random, as a fraction of the
    /// window. Default: 0.375.
    #[must_use]
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.policy.jitter = fraction;
        self
    }

    /// Sets the lifetime of a token whose response states none, or one that is no lifetime: not
    /// readable, less than 1 s or more than 100 years. Default: 5 min.
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.default_lifetime = lifetime;
        self
    }

    /// Sets how long one attempt to obtain a token may take. Default: 10 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = timeout;
        self
    }

    /// Sets the backoff after transient failures: the first and the maximum. It doubles with each
    /// consecutive failure. Default: 1 s to 60 s.
    #[must_use]
    pub fn backoff(mut self, range: RangeInclusive<Duration>) -> Self {
        self.policy.backoff = backoff(range);
        self
    }

    /// Sets the maximum backoff while there is no usable token. Default: 10 s.
    #[must_use]
    pub fn max_backoff_without_token(mut self, max: Duration) -> Self {
        self.policy.max_backoff_without_token = max;
        self
    }

    /// Sets the backoff after the authorization server denied a token request, or issued a token
    /// that cannot be used: the first and the maximum. It doubles with each consecutive failure.
    /// Default: 30 s to 5 min.
    #[must_use]
    pub fn denied_backoff(mut self, range: RangeInclusive<Duration>) -> Self {
        self.policy.denied_backoff = backoff(range);
        self
    }

    /// Sets the maximum `Retry-After` that is honored, up to 1 h. A `Retry-After` can lengthen the
    /// backoff, and never shortens it. Default: 60 s.
    #[must_use]
    pub fn max_retry_after(mut self, max: Duration) -> Self {
        self.policy.max_retry_after = max;
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    /// If the fraction of the margin or the window is not in 0 to 0.5, or the jitter not in 0 to
    /// 0.9; if margin and widest window together exceed 0.9 of the lifetime; if a duration that must
    /// be positive is zero, or one is longer than 100 years.
    pub fn build(self) -> Result<RefreshPolicy, Error> {
        let policy = self.policy;
        check_fraction("margin", policy.margin.of_lifetime, 0.5)?;
        check_fraction("window", policy.window.of_lifetime, 0.5)?;
        check_fraction("jitter", policy.jitter, 0.9)?;
        let lead = policy.margin.of_lifetime + policy.window.of_lifetime * (1.0 + policy.jitter);
        if lead > 0.9 {
            return Err(Error::configuration(format!(
                "refresh policy: expected margin and widest window to be at most 0.9 of the \
                 lifetime together, got {lead}"
            )));
        }
        for (name, duration, min) in [
            ("default lifetime", policy.default_lifetime, SECOND),
            ("attempt timeout", policy.attempt_timeout, MILLISECOND),
            ("initial backoff", policy.backoff.initial, MILLISECOND),
            (
                "initial denied backoff",
                policy.denied_backoff.initial,
                MILLISECOND,
            ),
            (
                "maximum backoff",
                policy.backoff.max,
                policy.backoff.initial,
            ),
            (
                "maximum denied backoff",
                policy.denied_backoff.max,
                policy.denied_backoff.initial,
            ),
            (
                "maximum backoff without a token",
                policy.max_backoff_without_token,
                MILLISECOND,
            ),
            ("maximum Retry-After", policy.max_retry_after, SECOND),
        ] {
            if duration < min || duration > MAX_LIFETIME {
                return Err(Error::configuration(format!(
                    "refresh policy, {name}: expected {min:?} to {MAX_LIFETIME:?}, got {duration:?}"
                )));
            }
        }
        if policy.max_retry_after > MAX_RETRY_AFTER {
            return Err(Error::configuration(format!(
                "refresh policy, maximum Retry-After: expected at most {MAX_RETRY_AFTER:?}, got \
                 {:?}",
                policy.max_retry_after
            )));
        }
        Ok(policy)
    }
}

fn backoff(range: RangeInclusive<Duration>) -> Backoff {
    let (initial, max) = range.into_inner();
    Backoff { initial, max }
}

fn check_fraction(name: &str, value: f64, max: f64) -> Result<(), Error> {
    if (0.0..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::configuration(format!(
        "refresh policy, {name}: expected a fraction of 0 to {max}, got {value}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, time::Now};

    fn build_error(change: impl Fn(RefreshPolicyBuilder) -> RefreshPolicyBuilder) -> String {
        change(RefreshPolicy::builder())
            .build()
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        assert!(RefreshPolicy::builder().build().is_ok());
    }

    #[test]
    fn invalid_settings_are_errors_at_construction() {
        let second = Duration::from_secs(1);
        assert!(build_error(|p| p.margin(0.6, second)).contains("margin"));
        assert!(build_error(|p| p.margin(f64::NAN, second)).contains("margin"));
        assert!(build_error(|p| p.window(-0.1, second)).contains("window"));
        assert!(build_error(|p| p.jitter(1.0)).contains("jitter"));
        let both = build_error(|p| p.margin(0.5, second).window(0.5, second));
        assert!(both.contains("together"), "{both}");
        assert!(build_error(|p| p.attempt_timeout(Duration::ZERO)).contains("attempt"));
        assert!(build_error(|p| p.attempt_timeout(Duration::MAX)).contains("attempt"));
        assert!(build_error(|p| p.default_lifetime(Duration::ZERO)).contains("lifetime"));
        assert!(build_error(|p| p.backoff(second..=Duration::ZERO)).contains("maximum backoff"));
        assert!(build_error(|p| p.denied_backoff(Duration::ZERO..=second)).contains("denied"));
        assert!(build_error(|p| p.max_retry_after(2 * MAX_RETRY_AFTER)).contains("Retry"));
        let none = build_error(|p| p.max_backoff_without_token(Duration::ZERO));
        assert!(none.contains("without a token"), "{none}");
    }

    #[test]
    fn each_setting_takes_effect() {
        let seconds = Duration::from_secs;
        let start = Now {
            monotonic: Duration::ZERO,
            wall: Duration::ZERO,
        };
        let policy = RefreshPolicy::builder()
            .margin(0.1, seconds(20))
            .min_margin(seconds(2))
            .window(0.4, seconds(100))
            .jitter(0.5)
            .default_lifetime(seconds(30))
            .attempt_timeout(seconds(3))
            .backoff(seconds(2)..=seconds(5))
            .max_backoff_without_token(seconds(4))
            .denied_backoff(seconds(6)..=seconds(7))
            .max_retry_after(seconds(8))
            .build()
            .unwrap();
        let life = |lifetime| {
            let life = policy.life(start, start, Some(seconds(lifetime)), Duration::ZERO, 1.0);
            let until = |then| start.until(then).as_secs();
            (until(life.stale_at), until(life.usable_until))
        };
        assert_eq!(life(1000), (830, 980));
        assert_eq!(life(100), (30, 90));
        assert_eq!(life(10).1, 8);
        let silent = policy.life(start, start, None, Duration::ZERO, 1.0);
        assert_eq!(start.until(silent.expires_at), seconds(30));
        assert_eq!(policy.attempt(None), seconds(3));
        let transient = Error::connection("refused");
        let backoff = |failures, usable_for| policy.backoff(&transient, failures, usable_for, 0.5);
        assert_eq!(backoff(1, Some(seconds(900))), seconds(2));
        assert_eq!(backoff(9, Some(seconds(900))), seconds(5));
        assert_eq!(backoff(9, None), seconds(4));
        let denied = Error::new(ErrorKind::Denied, "no");
        assert_eq!(policy.backoff(&denied, 1, None, 0.5), seconds(6));
        assert_eq!(policy.backoff(&denied, 9, None, 0.5), seconds(7));
        let busy = transient.with_server_retry_after(seconds(60));
        assert_eq!(policy.backoff(&busy, 1, None, 0.5), seconds(8));
    }
}
