//! When a token is fresh, due and spent; how long an attempt may take, and the pauses between them.

mod backoff;
mod builder;

use std::time::Duration;

pub(crate) use backoff::Backoff;
pub use builder::RefreshPolicyBuilder;

use crate::time::Now;

/// A token that arrives spent, or lives for less, is handed out this long, and no other is asked for
/// meanwhile.
const ARRIVED_SPENT: Duration = SECOND;
/// If the wall clock goes so much further than the monotonic one during a request, the machine was
/// suspended, or the clock was set.
const JUMP: Duration = Duration::from_secs(5);
/// Beyond any lifetime that matters, and far from overflow.
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);
const SECOND: Duration = Duration::from_secs(1);

/// When to renew a token, and how patiently.
///
/// With L the token's lifetime, counted from before the request for it was sent, and the defaults:
///
/// - margin = max(min(5 % of L, 30 s), min(1 s, L / 3)). This long before its end a token is
///   **spent**: it is not sent any more
/// - window = min(24 % of L, 72 min) × a factor in 0.625–1.375, drawn once for each token so that a fleet
///   started together does not renew together. This long before it is spent a token is **due**: a
///   read still returns it at once, and starts a renewal in the background
/// - an attempt takes 10 s at most and, while there is a usable token, at most half of what is left
///   of it (1 s at least)
/// - a failure that may pass (connection, timeout, 5xx, 429, an unreadable answer) is followed by a
///   pause of 1 s, then twice as long each time, up to 60 s, or 10 s while there is no usable token;
///   ± 20 %. While there is one, no pause is longer than half of what is left of it (100 ms at least)
/// - a refusal (`invalid_client`, `invalid_scope`, …) is followed by 30 s, then twice as long each
///   time, up to 5 min; ± 20 %: servers lock out clients that hammer
/// - `Retry-After` wins over all of that, from 1 s up to 60 s; after a refusal it can only make the
///   pause longer
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
    margin: Share,
    least_margin: Duration,
    window: Share,
    jitter: f64,
    default_lifetime: Duration,
    attempt_timeout: Duration,
    pub(crate) transient: Backoff,
    longest_without_token: Duration,
    refused: Backoff,
    longest_retry_after: Duration,
}

/// A share of the lifetime, up to a bound.
#[derive(Clone, Copy, Debug)]
struct Share {
    of_lifetime: f64,
    longest: Duration,
}

impl Share {
    fn of(self, lifetime: Duration) -> Duration {
        lifetime.mul_f64(self.of_lifetime).min(self.longest)
    }
}

/// The three instants of a token's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Life {
    pub(crate) refresh_at: Now,
    pub(crate) spent_at: Now,
    pub(crate) expires_at: Now,
    lifetime: Duration,
    /// It arrived spent, and is handed out for want of a better one.
    pub(crate) is_makeshift: bool,
}

impl Life {
    /// Spent when it arrives, after `longest` at most, and not because the machine slept, or the
    /// process stood still: then it is simply over.
    fn arrives_spent(&self, sent: Now, arrived: Now, longest: Duration) -> bool {
        let monotonic = arrived.monotonic.saturating_sub(sent.monotonic);
        let wall = arrived.wall.saturating_sub(sent.wall);
        let took_no_longer = monotonic <= longest.saturating_add(JUMP);
        arrived.reached(self.spent_at) && wall <= monotonic + JUMP && took_no_longer
    }

    /// How much of its lifetime is over.
    pub(crate) fn age(&self, now: Now) -> Duration {
        self.lifetime.saturating_sub(now.until(self.expires_at))
    }

    /// How much longer it is usable.
    pub(crate) fn left(&self, now: Now) -> Duration {
        now.until(self.spent_at)
    }
}

impl RefreshPolicy {
    /// Starts with the defaults.
    #[must_use]
    pub fn builder() -> RefreshPolicyBuilder {
        RefreshPolicyBuilder::new(Self::default())
    }

    /// A token's lifetime, whether the server tells it or not.
    pub(crate) fn lifetime(&self, told: Option<Duration>) -> Duration {
        told.unwrap_or(self.default_lifetime).min(LONGEST_LIFETIME)
    }

    /// The life of a token that was asked for at `sent`, `age` after it was issued, and came at
    /// `arrived`; `draw` in 0–1 is its jitter.
    pub(crate) fn life(
        &self,
        sent: Now,
        arrived: Now,
        lifetime: Option<Duration>,
        age: Duration,
        draw: f64,
    ) -> Life {
        let lifetime = self.lifetime(lifetime);
        let least = self.least_margin.min(lifetime / 3);
        let margin = self.margin.of(lifetime).max(least);
        let jitter = 1.0 + self.jitter * (2.0 * draw - 1.0);
        let lead = margin + self.window.of(lifetime).mul_f64(jitter);
        let mut life = Life {
            refresh_at: sent.after(lifetime.saturating_sub(lead.saturating_add(age))),
            spent_at: sent.after(lifetime.saturating_sub(margin.saturating_add(age))),
            expires_at: sent.after(lifetime.saturating_sub(age)),
            lifetime,
            is_makeshift: false,
        };
        if life.arrives_spent(sent, arrived, self.attempt_timeout) || lifetime < ARRIVED_SPENT {
            life.is_makeshift = true;
            life.spent_at = arrived.after(ARRIVED_SPENT);
            life.refresh_at = life.spent_at;
        }
        life
    }

    /// How long an attempt may take while a token is usable for `left`.
    pub(crate) fn attempt(&self, left: Option<Duration>) -> Duration {
        match left {
            Some(left) => self.attempt_timeout.min((left / 2).max(SECOND)),
            None => self.attempt_timeout,
        }
    }
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            margin: Share {
                of_lifetime: 0.05,
                longest: Duration::from_secs(30),
            },
            least_margin: SECOND,
            window: Share {
                of_lifetime: 0.24,
                longest: Duration::from_secs(4320),
            },
            jitter: 0.375,
            default_lifetime: Duration::from_secs(300),
            attempt_timeout: Duration::from_secs(10),
            transient: Backoff {
                first: SECOND,
                longest: Duration::from_secs(60),
            },
            longest_without_token: Duration::from_secs(10),
            refused: Backoff {
                first: Duration::from_secs(30),
                longest: Duration::from_secs(300),
            },
            longest_retry_after: Duration::from_secs(60),
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

    fn life(arrived: Now, lifetime: Option<Duration>, draw: f64) -> Life {
        RefreshPolicy::default().life(START, arrived, lifetime, Duration::ZERO, draw)
    }

    /// Seconds from the request until due and until spent.
    fn windows(lifetime: f64, draw: f64) -> (f64, f64) {
        let life = life(START, Some(Duration::from_secs_f64(lifetime)), draw);
        (
            START.until(life.refresh_at).as_secs_f64(),
            START.until(life.spent_at).as_secs_f64(),
        )
    }

    #[test]
    fn windows_at_every_lifetime() {
        // L, earliest due, latest due, spent
        for (lifetime, earliest, latest, spent) in [
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
            close(windows(lifetime, 0.5).1, spent);
        }
    }

    #[test]
    fn a_missing_lifetime_is_five_minutes_and_an_endless_one_does_not_overflow() {
        let missing = life(START, None, 0.5);
        assert_eq!(START.until(missing.expires_at), Duration::from_secs(300));
        let endless = life(START, Some(Duration::MAX), 0.5);
        assert!(!START.reached(endless.refresh_at));
    }

    #[test]
    fn a_token_that_arrives_spent_lasts_a_second() {
        for (lifetime, took) in [(0, 0), (3, 3), (10, 9)] {
            let arrived = START.after(Duration::from_secs(took));
            let life = life(arrived, Some(Duration::from_secs(lifetime)), 0.5);
            assert_eq!(arrived.until(life.spent_at), SECOND);
            assert_eq!(life.refresh_at, life.spent_at);
            assert!(life.is_makeshift);
        }
    }

    #[test]
    fn a_token_that_waited_for_a_process_that_stood_still_is_over() {
        // an attempt takes 10 s, and somebody may be late for it by 5
        for (took, is_makeshift) in [(15, true), (16, false)] {
            let arrived = START.after(Duration::from_secs(took));
            let life = life(arrived, Some(Duration::from_secs(12)), 0.5);
            assert_eq!(life.is_makeshift, is_makeshift, "{took} s");
            assert_eq!(arrived.reached(life.spent_at), !is_makeshift, "{took} s");
        }
    }

    #[test]
    fn without_a_window_a_token_is_still_no_makeshift() {
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
        assert_eq!(life.refresh_at, life.spent_at);
        assert!(!life.is_makeshift);
    }

    #[test]
    fn a_token_that_lives_for_less_than_a_second_lasts_one() {
        let short = life(START, Some(Duration::from_micros(100)), 0.5);
        assert_eq!(START.until(short.spent_at), SECOND);
    }

    #[test]
    fn a_token_that_ended_while_the_machine_slept_is_spent() {
        let mut arrived = START.after(SECOND);
        arrived.wall += Duration::from_secs(3600);
        let life = life(arrived, Some(Duration::from_secs(600)), 0.5);
        assert!(arrived.reached(life.spent_at));
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
