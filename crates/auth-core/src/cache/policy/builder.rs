//! Setting a policy up, and what it may not be.

use std::time::Duration;

use super::{Backoff, LONGEST_LIFETIME, RefreshPolicy, SECOND, Share};
use crate::Error;

/// However long a server asks for, it is asked again within the hour.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Makes a [`RefreshPolicy`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct RefreshPolicyBuilder {
    policy: RefreshPolicy,
}

impl RefreshPolicyBuilder {
    pub(super) fn new(policy: RefreshPolicy) -> Self {
        Self { policy }
    }

    /// How long before its end a token is spent: a share of its lifetime, but no longer than
    /// `longest`. Default: 0.05, 30 s.
    #[must_use]
    pub fn margin(mut self, of_lifetime: f64, longest: Duration) -> Self {
        self.policy.margin = Share {
            of_lifetime,
            longest,
        };
        self
    }

    /// The least margin; a third of the lifetime where that is less. Default: 1 s, because servers
    /// count in whole seconds.
    #[must_use]
    pub fn least_margin(mut self, least: Duration) -> Self {
        self.policy.least_margin = least;
        self
    }

    /// How long before it is spent a token is due: a share of its lifetime, but no longer than
    /// `longest`. Default: 0.24, 72 min.
    #[must_use]
    pub fn window(mut self, of_lifetime: f64, longest: Duration) -> Self {
        self.policy.window = Share {
            of_lifetime,
            longest,
        };
        self
    }

    /// How much longer or shorter the window of each token is, at random. Default: 0.375.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.policy.jitter = share;
        self
    }

    /// The lifetime of a token whose response does not tell it. Default: 5 min.
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.default_lifetime = lifetime;
        self
    }

    /// How long one attempt may take. Default: 10 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = timeout;
        self
    }

    /// The pause after a failure that may pass, and the longest it grows to. Default: 1 s, 60 s.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.policy.transient = Backoff { first, longest };
        self
    }

    /// The longest pause while there is no usable token. Default: 10 s.
    #[must_use]
    pub fn longest_backoff_without_token(mut self, longest: Duration) -> Self {
        self.policy.longest_without_token = longest;
        self
    }

    /// The pause after a refusal, and the longest it grows to. Default: 30 s, 5 min.
    #[must_use]
    pub fn refusal_backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.policy.refused = Backoff { first, longest };
        self
    }

    /// The longest `Retry-After` that is obeyed, 1 h at most. Default: 60 s.
    #[must_use]
    pub fn longest_retry_after(mut self, longest: Duration) -> Self {
        self.policy.longest_retry_after = longest;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// If the margin or the window is not a share of 0 to 0.5, or jitter of 0 to 0.9; if both
    /// together, with the jitter, would leave a token fresh for less than a tenth of its life; if a
    /// duration is zero that must not be, or beyond measure.
    pub fn build(self) -> Result<RefreshPolicy, Error> {
        let policy = self.policy;
        share("margin", policy.margin.of_lifetime, 0.5)?;
        share("window", policy.window.of_lifetime, 0.5)?;
        share("jitter", policy.jitter, 0.9)?;
        let lead = policy.margin.of_lifetime + policy.window.of_lifetime * (1.0 + policy.jitter);
        if lead > 0.9 {
            return Err(Error::configuration(format!(
                "refresh policy: expected margin and widest window to be at most 0.9 of the \
                 lifetime together, got {lead}"
            )));
        }
        for (name, duration, least) in [
            ("default lifetime", policy.default_lifetime, SECOND),
            ("attempt timeout", policy.attempt_timeout, MILLISECOND),
            ("first backoff", policy.transient.first, MILLISECOND),
            ("first refusal backoff", policy.refused.first, MILLISECOND),
            (
                "longest backoff",
                policy.transient.longest,
                policy.transient.first,
            ),
            (
                "longest refusal backoff",
                policy.refused.longest,
                policy.refused.first,
            ),
            (
                "longest backoff without a token",
                policy.longest_without_token,
                MILLISECOND,
            ),
            ("longest Retry-After", policy.longest_retry_after, SECOND),
        ] {
            if duration < least || duration > LONGEST_LIFETIME {
                return Err(Error::configuration(format!(
                    "refresh policy, {name}: expected {least:?} to {LONGEST_LIFETIME:?}, got \
                     {duration:?}"
                )));
            }
        }
        if policy.longest_retry_after > LONGEST_RETRY_AFTER {
            return Err(Error::configuration(format!(
                "refresh policy, longest Retry-After: expected at most {LONGEST_RETRY_AFTER:?}, \
                 got {:?}",
                policy.longest_retry_after
            )));
        }
        Ok(policy)
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

fn share(name: &str, value: f64, most: f64) -> Result<(), Error> {
    if (0.0..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::configuration(format!(
        "refresh policy, {name}: expected a share of 0 to {most}, got {value}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Now;

    fn refusal(change: impl Fn(RefreshPolicyBuilder) -> RefreshPolicyBuilder) -> String {
        change(RefreshPolicy::builder())
            .build()
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_defaults_stand() {
        assert!(RefreshPolicy::builder().build().is_ok());
    }

    #[test]
    fn what_cannot_work_is_said_at_construction() {
        let second = Duration::from_secs(1);
        assert!(refusal(|p| p.margin(0.6, second)).contains("margin"));
        assert!(refusal(|p| p.margin(f64::NAN, second)).contains("margin"));
        assert!(refusal(|p| p.window(-0.1, second)).contains("window"));
        assert!(refusal(|p| p.jitter(1.0)).contains("jitter"));
        let both = refusal(|p| p.margin(0.5, second).window(0.5, second));
        assert!(both.contains("together"), "{both}");
        assert!(refusal(|p| p.attempt_timeout(Duration::ZERO)).contains("attempt"));
        assert!(refusal(|p| p.attempt_timeout(Duration::MAX)).contains("attempt"));
        assert!(refusal(|p| p.default_lifetime(Duration::ZERO)).contains("lifetime"));
        assert!(refusal(|p| p.backoff(second, Duration::ZERO)).contains("longest backoff"));
        assert!(refusal(|p| p.refusal_backoff(Duration::ZERO, second)).contains("refusal"));
        assert!(refusal(|p| p.longest_retry_after(2 * LONGEST_RETRY_AFTER)).contains("Retry"));
        let none = refusal(|p| p.longest_backoff_without_token(Duration::ZERO));
        assert!(none.contains("without a token"), "{none}");
    }

    #[test]
    fn each_knob_turns() {
        let seconds = Duration::from_secs;
        let start = Now {
            monotonic: Duration::ZERO,
            wall: Duration::ZERO,
        };
        let policy = RefreshPolicy::builder()
            .margin(0.1, seconds(20))
            .least_margin(seconds(2))
            .window(0.4, seconds(100))
            .jitter(0.5)
            .default_lifetime(seconds(30))
            .attempt_timeout(seconds(3))
            .backoff(seconds(2), seconds(5))
            .longest_backoff_without_token(seconds(4))
            .refusal_backoff(seconds(6), seconds(7))
            .longest_retry_after(seconds(8))
            .build()
            .unwrap();
        let life = |lifetime| {
            let life = policy.life(start, start, Some(seconds(lifetime)), Duration::ZERO, 1.0);
            let until = |then| start.until(then).as_secs();
            (until(life.refresh_at), until(life.spent_at))
        };
        assert_eq!(life(1000), (830, 980));
        assert_eq!(life(100), (30, 90));
        assert_eq!(life(10).1, 8);
        let silent = policy.life(start, start, None, Duration::ZERO, 1.0);
        assert_eq!(start.until(silent.expires_at), seconds(30));
        assert_eq!(policy.attempt(None), seconds(3));
        let passing = Error::connection("refused");
        let pause = |failures, left| policy.backoff(&passing, failures, left, 0.5);
        assert_eq!(pause(1, Some(seconds(900))), seconds(2));
        assert_eq!(pause(9, Some(seconds(900))), seconds(5));
        assert_eq!(pause(9, None), seconds(4));
        let refused = Error::new(crate::ErrorKind::Refused, "no");
        assert_eq!(policy.backoff(&refused, 1, None, 0.5), seconds(6));
        assert_eq!(policy.backoff(&refused, 9, None, 0.5), seconds(7));
        let busy = passing.with_retry_after(seconds(60));
        assert_eq!(policy.backoff(&busy, 1, None, 0.5), seconds(8));
    }
}
