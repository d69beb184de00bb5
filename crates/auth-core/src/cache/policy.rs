//! When a token is fresh, due and spent, and how long to wait after a failure.

use std::time::Duration;

use crate::{Error, clock::Now};

/// When to renew, and how patiently.
///
/// With L the token's lifetime, counted from before the request for it was sent:
///
/// - margin = max(min(5 % of L, 30 s), min(1 s, L / 3)): the token is *spent* this long before its
///   end, and never sent again
/// - lead = margin + min(20 % of L, 1 h) × a factor in 0.75–1.25, drawn once per token: it is *due*
///   this long before its end, and renewed in the background by the next read
#[derive(Clone, Debug)]
pub(crate) struct RefreshPolicy;

/// L where the response does not tell.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A token that arrives spent is handed out this long, and no other is asked for meanwhile.
const ARRIVED_SPENT: Duration = Duration::from_secs(1);
const SECOND: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Beyond any lifetime that matters, and far from overflow.
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The three instants of a token's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Life {
    pub(crate) refresh_at: Now,
    pub(crate) spent_at: Now,
    pub(crate) expires_at: Now,
}

impl RefreshPolicy {
    /// The life of a token that was asked for at `sent` and came at `arrived`; `draw` in 0–1 is
    /// its jitter.
    pub(crate) fn life(
        &self,
        sent: Now,
        arrived: Now,
        lifetime: Option<Duration>,
        draw: f64,
    ) -> Life {
        let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME).min(LONGEST_LIFETIME);
        let margin = (lifetime / 20)
            .min(Duration::from_secs(30))
            .max((lifetime / 3).min(SECOND));
        let window = (lifetime / 5).min(Duration::from_secs(3600));
        let lead = margin + window.mul_f64(0.75 + draw / 2.0);
        let mut life = Life {
            refresh_at: sent.after(lifetime.saturating_sub(lead)),
            spent_at: sent.after(lifetime.saturating_sub(margin)),
            expires_at: sent.after(lifetime),
        };
        if arrived.reached(life.spent_at) {
            life.spent_at = arrived.after(ARRIVED_SPENT);
            life.refresh_at = life.spent_at;
        }
        life
    }

    /// How long an attempt may take while a token is usable for `left`.
    pub(crate) fn attempt(&self, left: Option<Duration>) -> Duration {
        match left {
            Some(left) => ATTEMPT.min((left / 2).max(SECOND)),
            None => ATTEMPT,
        }
    }

    /// How long to wait after the `failures`-th failure in a row, while a token is usable for
    /// `left`; `draw` in 0–1 is the jitter.
    pub(crate) fn backoff(
        &self,
        error: &Error,
        failures: u32,
        left: Option<Duration>,
        draw: f64,
    ) -> Duration {
        if let Some(wait) = error.retry_after() {
            return wait.clamp(SECOND, LONGEST_RETRY_AFTER);
        }
        let transient = error.is_transient();
        let (first, longest) = match (transient, left) {
            (true, Some(_)) => (1, 60),
            (true, None) => (1, 10),
            (false, _) => (30, 300),
        };
        let doubled = first << failures.saturating_sub(1).min(16);
        let wait = Duration::from_secs(doubled.min(longest)).mul_f64(0.8 + draw * 0.4);
        match left {
            Some(left) if transient => wait.min((left / 2).max(Duration::from_millis(100))),
            _ => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const START: Now = Now {
        monotonic: Duration::from_secs(50),
        wall: Duration::from_secs(1_000_000),
    };

    /// Seconds from the request until due and until spent.
    fn windows(lifetime: f64, draw: f64) -> (f64, f64) {
        let lifetime = Some(Duration::from_secs_f64(lifetime));
        let life = RefreshPolicy.life(START, START, lifetime, draw);
        (
            START.until(life.refresh_at).as_secs_f64(),
            START.until(life.spent_at).as_secs_f64(),
        )
    }

    #[test]
    fn windows_at_every_lifetime() {
        // L, earliest due, latest due, spent
        for (lifetime, earliest, latest, spent) in [
            (1.0, 0.416_667, 0.516_667, 0.666_667),
            (3.0, 1.25, 1.55, 2.0),
            (60.0, 42.0, 48.0, 57.0),
            (600.0, 420.0, 480.0, 570.0),
            (3600.0, 2670.0, 3030.0, 3570.0),
            (86_400.0, 81_870.0, 83_670.0, 86_370.0),
        ] {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 0.001, "{lifetime}: {a} {b}");
            close(windows(lifetime, 1.0).0, earliest);
            close(windows(lifetime, 0.0).0, latest);
            close(windows(lifetime, 0.5).1, spent);
        }
    }

    #[test]
    fn a_missing_lifetime_is_five_minutes_and_an_endless_one_does_not_overflow() {
        let life = RefreshPolicy.life(START, START, None, 0.5);
        assert_eq!(START.until(life.expires_at), Duration::from_secs(300));
        let life = RefreshPolicy.life(START, START, Some(Duration::MAX), 0.5);
        assert!(!START.reached(life.refresh_at));
    }

    #[test]
    fn a_token_that_arrives_spent_lasts_a_second() {
        for (lifetime, took) in [(0, 0), (3, 3), (60, 58)] {
            let arrived = START.after(Duration::from_secs(took));
            let lifetime = Some(Duration::from_secs(lifetime));
            let life = RefreshPolicy.life(START, arrived, lifetime, 0.5);
            assert_eq!(arrived.until(life.spent_at), SECOND);
            assert_eq!(life.refresh_at, life.spent_at);
        }
    }

    #[test]
    fn transient_failures_back_off_and_never_past_half_of_what_is_left() {
        let error = Error::connection("refused");
        let wait = |failures, left| {
            let left = Option::map(left, Duration::from_secs);
            RefreshPolicy
                .backoff(&error, failures, left, 0.5)
                .as_secs_f64()
        };
        assert_eq!(wait(1, None), 1.0);
        assert_eq!(wait(3, None), 4.0);
        assert_eq!(wait(40, None), 10.0);
        assert_eq!(wait(40, Some(10_000)), 60.0);
        assert_eq!(wait(40, Some(30)), 15.0);
        assert_eq!(wait(40, Some(0)), 0.1);
    }

    #[test]
    fn a_refusal_waits_long_and_retry_after_wins() {
        let refused = Error::new(ErrorKind::Refused, "no");
        let wait = |failures| {
            RefreshPolicy
                .backoff(&refused, failures, None, 0.5)
                .as_secs()
        };
        assert_eq!((wait(1), wait(2), wait(9)), (30, 60, 300));
        let told = |secs| refused.clone().with_retry_after(Duration::from_secs(secs));
        assert_eq!(RefreshPolicy.backoff(&told(7), 1, None, 0.5).as_secs(), 7);
        assert_eq!(RefreshPolicy.backoff(&told(0), 1, None, 0.5).as_secs(), 1);
        assert_eq!(
            RefreshPolicy.backoff(&told(7000), 1, None, 0.5).as_secs(),
            60
        );
    }

    #[test]
    fn an_attempt_leaves_room_for_another() {
        let attempt = |left| RefreshPolicy.attempt(left).as_secs_f64();
        assert_eq!(attempt(None), 10.0);
        assert_eq!(attempt(Some(Duration::from_secs(100))), 10.0);
        assert_eq!(attempt(Some(Duration::from_secs(8))), 4.0);
        assert_eq!(attempt(Some(Duration::from_millis(10))), 1.0);
    }
}
