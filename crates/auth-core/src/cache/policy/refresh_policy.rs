//! The times of refreshes, attempts and backoffs.

use std::time::Duration;

use super::{
    backoff::{self, Backoff},
    life::{Life, RECEIVED_EXPIRED_FOR},
};
use crate::{Error, time::Now};

/// 100 years: longer than any lifetime in use, and short enough not to overflow.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Determines when a token is refreshed, and how failed token requests back off.
///
/// L is the token's lifetime: `expires_in`, or 5 min if the response has none. It is counted from the
/// time at which the token request was sent. By default:
///
/// - A token **expires** one margin before its end: from then on it is not sent. The margin is
///   max(min(5 % of L, 30 s), min(1 s, L / 3)).
/// - A token becomes **stale** one window before it expires: a read still returns it at once, and
///   starts a refresh in the background. The window is min(24 % of L, 72 min), times a factor of
///   0.625–1.375. The factor is drawn once for each token, so that processes that started together
///   do not refresh together.
/// - A token that is received expired is used for 1 s, unless the machine or the process was
///   suspended during the token request. A lifetime of less than 1 s counts as 1 s.
/// - An attempt takes at most 10 s. While there is a usable token, it also takes at most half of
///   the time that the token remains usable, but at least 1 s.
/// - After a transient failure (connection, timeout, 5xx, 429, the error
///   `temporarily_unavailable` or `server_error`, a 4xx other than 400, 401 and 403 without a
///   registered error code) the backoff is 1 s, doubles with each consecutive failure up to 60 s (10 s while no token is usable), and varies
///   by ± 20 %. While a token is usable, this backoff is capped at half of the time that the token
///   remains usable, but the cap is never below 100 ms. A token that
///   an API has rejected, and that none has accepted for 1 s, is not usable in this sense when it is
///   rejected again.
/// - After a denial (400, 401, 403, `invalid_client`, `invalid_scope`, …) and after a success whose
///   token cannot be used the backoff is 30 s, doubles with each consecutive failure up to 5 min,
///   and varies by ± 20 %. Servers lock out clients that repeat denied requests quickly, and count
///   the tokens that they issue. The backoff after a denial ends early if the
///   [credentials have changed](crate::TokenSource::credentials_changed).
/// - `Retry-After` can lengthen the backoff, up to 60 s. It never shortens the backoff.
///
/// ```
/// use std::time::Duration;
/// use auth_core::RefreshPolicy;
///
/// let policy = RefreshPolicy::builder()
///     .window(0.5, Duration::from_secs(600))
///     .attempt_timeout(Duration::from_secs(3))
///     .build()?;
/// assert!(RefreshPolicy::builder().jitter(2.0).build().is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RefreshPolicy {
    pub(super) margin: Fraction,
    pub(super) min_margin: Duration,
    pub(super) window: Fraction,
    pub(super) jitter: f64,
    pub(super) default_lifetime: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) backoff: Backoff,
    pub(super) max_backoff_without_token: Duration,
    pub(super) denied_backoff: Backoff,
    pub(super) max_retry_after: Duration,
}

/// A fraction of the lifetime, up to a maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fraction {
    pub(super) of_lifetime: f64,
    pub(super) max: Duration,
}

impl Fraction {
    fn of(self, lifetime: Duration) -> Duration {
        lifetime.mul_f64(self.of_lifetime).min(self.max)
    }
}

impl RefreshPolicy {
    /// Returns a token's lifetime, from the response if that states one.
    pub(crate) fn lifetime(&self, stated: Option<Duration>) -> Duration {
        stated.unwrap_or(self.default_lifetime).min(MAX_LIFETIME)
    }

    /// Computes the deadlines of a token that was requested at `requested` and received at
    /// `received`. `age` is the token's age at the request: zero, except for a token from the shared
    /// store. `draw` in 0–1 is the token's jitter.
    pub(crate) fn life(
        &self,
        requested: Now,
        received: Now,
        lifetime: Option<Duration>,
        age: Duration,
        draw: f64,
    ) -> Life {
        let lifetime = self.lifetime(lifetime);
        let min_margin = self.min_margin.min(lifetime / 3);
        let margin = self.margin.of(lifetime).max(min_margin);
        let jitter = 1.0 + self.jitter * (2.0 * draw - 1.0);
        let lead = margin.saturating_add(self.window.of(lifetime).mul_f64(jitter));
        let mut life = Life {
            stale_at: requested.after(lifetime.saturating_sub(lead.saturating_add(age))),
            usable_until: requested.after(lifetime.saturating_sub(margin.saturating_add(age))),
            expires_at: requested.after(lifetime.saturating_sub(age)),
            lifetime,
            received_expired: false,
        };
        if life.expired_in_transit(requested, received, self.attempt_timeout)
            || lifetime < RECEIVED_EXPIRED_FOR
        {
            life.received_expired = true;
            life.usable_until = received.after(RECEIVED_EXPIRED_FOR);
            life.stale_at = life.usable_until;
        }
        life
    }

    /// Returns the time limit of an attempt while a token remains usable for `usable_for`.
    pub(crate) fn attempt(&self, usable_for: Option<Duration>) -> Duration {
        match usable_for {
            Some(left) => self.attempt_timeout.min((left / 2).max(SECOND)),
            None => self.attempt_timeout,
        }
    }

    /// Returns the backoff after the `failures`-th consecutive failure, while a token remains usable
    /// for `usable_for`. `draw` in 0–1 is the jitter.
    pub(crate) fn backoff(
        &self,
        error: &Error,
        failures: u32,
        usable_for: Option<Duration>,
        draw: f64,
    ) -> Duration {
        let jitter = backoff::jitter(draw);
        let own = match usable_for {
            _ if !error.is_transient() => self.denied_backoff.after(failures).mul_f64(jitter),
            Some(left) => {
                let backoff = self.backoff.after(failures).mul_f64(jitter);
                backoff.min((left / 2).max(backoff::MIN))
            }
            None => self.backoff_without_token(failures, draw),
        };
        let asked = error.server_retry_after().unwrap_or_default();
        own.max(asked.min(self.max_retry_after))
    }

    /// Returns the backoff after the `failures`-th consecutive transient failure while no token is
    /// usable. `draw` in 0–1 is the jitter.
    pub(crate) fn backoff_without_token(&self, failures: u32, draw: f64) -> Duration {
        let backoff = self.backoff.after(failures);
        backoff
            .min(self.max_backoff_without_token)
            .mul_f64(backoff::jitter(draw))
    }
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            margin: Fraction {
                of_lifetime: 0.05,
                max: Duration::from_secs(30),
            },
            min_margin: SECOND,
            window: Fraction {
                of_lifetime: 0.24,
                max: Duration::from_secs(4320),
            },
            jitter: 0.375,
            default_lifetime: Duration::from_secs(300),
            attempt_timeout: Duration::from_secs(10),
            backoff: Backoff {
                initial: SECOND,
                max: Duration::from_secs(60),
            },
            max_backoff_without_token: Duration::from_secs(10),
            denied_backoff: Backoff {
                initial: Duration::from_secs(30),
                max: Duration::from_secs(300),
            },
            max_retry_after: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now {
        monotonic: Duration::from_secs(50),
        wall: Duration::from_secs(1_000_000),
    };

    fn life(received: Now, lifetime: Option<Duration>, draw: f64) -> Life {
        RefreshPolicy::default().life(START, received, lifetime, Duration::ZERO, draw)
    }

    /// Seconds from the request until the token is stale and until it has expired.
    fn windows(lifetime: f64, draw: f64) -> (f64, f64) {
        let life = life(START, Some(Duration::from_secs_f64(lifetime)), draw);
        (
            START.until(life.stale_at).as_secs_f64(),
            START.until(life.usable_until).as_secs_f64(),
        )
    }

    #[test]
    fn windows_at_every_lifetime() {
        // L, earliest stale, latest stale, expired
        for (lifetime, earliest, latest, expired) in [
            (1.0, 0.336_667, 0.516_667, 0.666_667),
            (3.0, 1.01, 1.55, 2.0),
            (60.0, 37.2, 48.0, 57.0),
            (600.0, 372.0, 480.0, 570.0),
            (3600.0, 2382.0, 3030.0, 3570.0),
            (86_400.0, 80_430.0, 83_670.0, 86_370.0),
        ] {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 0.001, "{lifetime}: {a} {b}");
            close(windows(lifetime, 1.0).0, earliest);
            close(windows(lifetime, 0.0).0, latest);
            close(windows(lifetime, 0.5).1, expired);
        }
    }

    #[test]
    fn a_missing_lifetime_is_five_minutes_and_an_endless_one_does_not_overflow() {
        let missing = life(START, None, 0.5);
        assert_eq!(START.until(missing.expires_at), Duration::from_secs(300));
        let endless = life(START, Some(Duration::MAX), 0.5);
        assert!(!START.reached(endless.stale_at));
    }

    #[test]
    fn a_token_that_is_received_expired_is_handed_out_for_a_second() {
        for (lifetime, took) in [(0, 0), (3, 3), (10, 9)] {
            let received = START.after(Duration::from_secs(took));
            let life = life(received, Some(Duration::from_secs(lifetime)), 0.5);
            assert_eq!(received.until(life.usable_until), SECOND);
            assert_eq!(life.stale_at, life.usable_until);
            assert!(life.received_expired);
        }
    }

    #[test]
    fn a_token_that_waited_for_a_suspended_process_has_expired() {
        // an attempt takes 10 s, and the task may be 5 s late to notice its end
        for (took, received_expired) in [(15, true), (16, false)] {
            let received = START.after(Duration::from_secs(took));
            let life = life(received, Some(Duration::from_secs(12)), 0.5);
            assert_eq!(life.received_expired, received_expired, "{took} s");
            assert_eq!(
                received.reached(life.usable_until),
                !received_expired,
                "{took} s"
            );
        }
    }

    #[test]
    fn without_a_window_a_token_is_not_received_expired() {
        let policy = RefreshPolicy::builder()
            .window(0.0, SECOND)
            .build()
            .unwrap();
        let life = policy.life(
            START,
            START,
            Some(Duration::from_secs(600)),
            Duration::ZERO,
            0.5,
        );
        assert_eq!(life.stale_at, life.usable_until);
        assert!(!life.received_expired);
    }

    #[test]
    fn a_token_that_lives_for_less_than_a_second_is_handed_out_for_one() {
        let short = life(START, Some(Duration::from_micros(100)), 0.5);
        assert_eq!(START.until(short.usable_until), SECOND);
    }

    #[test]
    fn a_token_that_ended_while_the_machine_was_suspended_has_expired() {
        let mut received = START.after(SECOND);
        received.wall += Duration::from_secs(3600);
        let life = life(received, Some(Duration::from_secs(600)), 0.5);
        assert!(received.reached(life.usable_until));
    }

    #[test]
    fn an_attempt_leaves_room_for_another() {
        let attempt = |left| RefreshPolicy::default().attempt(left).as_secs_f64();
        assert_eq!(attempt(None), 10.0);
        assert_eq!(attempt(Some(Duration::from_secs(100))), 10.0);
        assert_eq!(attempt(Some(Duration::from_secs(8))), 4.0);
        assert_eq!(attempt(Some(Duration::from_millis(10))), 1.0);
    }
}
