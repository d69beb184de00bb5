//! For how long leases have kept this process from requesting tokens. It does no I/O.
//!
//! A proven claim may have been recorded and restored by a client without a seal key, until its end.
//! If such a client also deletes the tokens, one process after another acquires the lease, and each
//! waits until the last claim has ended. A process therefore waits a bounded time only. It depends on
//! what holders that still exist leave behind: a renewed claim, or a claim to back off. A claim to back off
//! that this process has not seen is known from the claim of the next holder.
//!
//! Each cache has a wait of its own for each of its needs, which ends when the cache has got a token. Neither
//! a lease that it acquired nor a token that it loaded ends the wait: it may have returned the lease
//! without a token request, and the token may be of no use to it. Other caches of this process count like
//! other processes.
//!
//! Only time in which the process looks at the lease counts: what a holder leaves behind at another time
//! may not be seen. The fallback lease is looked at once in an attempt, and so is never given up.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::Duration};

use auth_core::shared_store::internal::Need;
use tokio::time::Instant;

use crate::lease_claim::{Claim, ClaimState};

/// A wait is forgotten if no lease was seen for this time. It is long, since attempts that are too short
/// to give up may follow each other rarely.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// Between two looks at a lease that is waited for, less time passes.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// The number of holders after which the whole wait is limited.
const MANY_HOLDERS: u32 = 3;

/// One wait for the lease of one cache key.
#[derive(Debug)]
struct Wait {
    /// `None` if no cache made the calls.
    need: Option<Need>,
    claim: Claim,
    last_seen: Instant,
    /// The time for which this process has waited, and for which the holder of the claim has kept it
    /// waiting without a sign of life.
    whole: Duration,
    current: Duration,
    /// The time for which earlier holders kept this process waiting without a sign of life.
    unexplained: Duration,
    holders: u32,
}

impl Wait {
    fn new(need: Option<Need>, claim: Claim, now: Instant) -> Self {
        Self {
            need,
            claim,
            last_seen: now,
            whole: Duration::ZERO,
            current: Duration::ZERO,
            unexplained: Duration::ZERO,
            holders: 1,
        }
    }

    /// Begins again with `claim`.
    fn begin_again(&mut self, claim: Claim, now: Instant) {
        *self = Self::new(self.need, claim, now);
    }

    /// Returns the time without a look after which the wait is forgotten.
    fn forgotten_after(&self) -> Duration {
        match self.need {
            Some(_) => FORGOTTEN_AFTER,
            // it is not known when the need has ended
            None => BETWEEN_LOOKS,
        }
    }

    /// Notes that `claim` was seen, which lasts for `left`.
    fn see(&mut self, claim: Claim, left: Duration, now: Instant) {
        let gap = now.duration_since(self.last_seen);
        if gap > self.forgotten_after() {
            self.begin_again(claim, now);
            return;
        }
        let waited = match gap <= BETWEEN_LOOKS {
            true => gap,
            false => Duration::ZERO,
        };
        self.whole += waited;
        let is_same_holder = claim.holder == self.claim.holder;
        let is_later = claim.end > self.claim.end;
        if claim.state == ClaimState::BackingOff {
            // the authorization server fails, and the holder exists
            if !is_same_holder || is_later || self.claim.state != claim.state {
                self.begin_again(claim, now);
            }
        } else if !is_same_holder && claim.state == ClaimState::RequestingAgain {
            // the holder before left a claim to back off, which this process need not have seen
            self.begin_again(claim, now);
        } else if !is_same_holder {
            if self.claim.state != ClaimState::BackingOff {
                self.unexplained += self.current + waited;
            }
            self.holders = self.holders.saturating_add(1);
            self.claim = claim;
            self.current = Duration::ZERO;
        } else {
            self.current += waited;
            if is_later {
                // A claim is renewed when two thirds of it are left. One that is older was not renewed
                // in time, or is an old one that was restored.
                if left > claim.duration / 2 {
                    self.current = Duration::ZERO;
                }
                self.claim = claim;
            }
        }
        self.last_seen = now;
    }

    /// Whether the holders have kept this process waiting for longer than existing ones do.
    fn is_over(&self) -> bool {
        let duration = self.claim.duration;
        let current = match self.claim.state {
            ClaimState::Requesting | ClaimState::RequestingAgain => self.current,
            ClaimState::BackingOff => Duration::ZERO,
        };
        self.unexplained + current > duration.mul_f64(1.5)
            || (self.holders >= MANY_HOLDERS && self.whole > duration * 4)
    }
}

/// The waits of a process, by the name of the key of the lease and by the cache that waits.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<Waiter, Wait>>);

/// A cache that waits for the lease of one key. Calls that no cache made are those of one waiter.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Waiter {
    lease: String,
    cache: Option<u64>,
}

/// The looks at one lease on account of one need.
#[derive(Debug)]
pub(crate) struct Looks<'a> {
    waits: &'a Waits,
    waiter: Waiter,
    need: Option<Need>,
}

impl Waits {
    /// Returns the looks at the lease under the name `lease`, on account of `need`.
    pub(crate) fn looks(&self, lease: &str, need: Option<Need>) -> Looks<'_> {
        Looks {
            waits: self,
            waiter: Waiter {
                lease: lease.to_owned(),
                cache: need.map(|need| need.cache()),
            },
            need,
        }
    }
}

impl Looks<'_> {
    /// Notes that `claims` keep the cache from requesting a token, each for the time beside it. Returns
    /// whether the cache has waited for long enough; `None` if there is no claim.
    ///
    /// One claim is followed, that of the known holder if there is one: during a rotation of the seal key,
    /// another process may acquire one place of a lease for an instant, whose other place is held.
    pub(crate) fn see(&self, claims: &[(Claim, Duration)], now: Instant) -> Option<bool> {
        let mut waits = self.waits.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = waits.get_mut(&self.waiter);
        let mut wait = wait.filter(|wait| wait.need == self.need);
        let known = wait.as_ref().map(|wait| wait.claim.holder);
        let mut known = claims
            .iter()
            .filter(|(claim, _)| Some(claim.holder) == known);
        let (claim, left) = *known.next().or(claims.first())?;
        if let Some(wait) = &mut wait {
            wait.see(claim, left, now);
            return Some(wait.is_over());
        }
        // at sizes that double, so that forgetting costs little on average
        if waits.len().is_power_of_two() {
            waits.retain(|_, wait| now.duration_since(wait.last_seen) <= wait.forgotten_after());
        }
        waits.insert(self.waiter.clone(), Wait::new(self.need, claim, now));
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);
    const POLL: Duration = Duration::from_millis(500);

    /// A process with one cache, which looks at a lease twice a second. The server's clock is the
    /// process's.
    struct Process {
        waits: Waits,
        need: Option<Need>,
        started: Instant,
        now: Instant,
    }

    impl Process {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                waits: Waits::default(),
                need: Some(Need::new(1, 0)),
                started: now,
                now,
            }
        }

        fn server_time(&self) -> u64 {
            u64::try_from(self.now.duration_since(self.started).as_millis()).unwrap()
        }

        /// Makes a claim now.
        fn claim(&self, holder: u8, state: ClaimState, duration: Duration) -> Claim {
            Claim::new([holder; 16], state, duration, self.server_time())
        }

        fn requesting(&self, holder: u8) -> Claim {
            self.claim(holder, ClaimState::Requesting, LEASE)
        }

        /// Looks at `claim` until it ends or `time` is over. Returns whether the process gave up.
        fn looks(&mut self, claim: Claim, time: Duration) -> bool {
            let end = self.now + time;
            while self.now < end {
                let Some(left) = claim.left(self.server_time()) else {
                    break;
                };
                if self.sees(&[(claim, left)]) {
                    return true;
                }
                self.now += POLL;
            }
            false
        }

        /// Looks once. Returns whether the process gave up.
        fn sees(&self, claims: &[(Claim, Duration)]) -> bool {
            let looks = self.waits.looks("lease", self.need);
            looks.see(claims, self.now) == Some(true)
        }

        fn waited(&self) -> Duration {
            self.now.duration_since(self.started)
        }
    }

    #[test]
    fn a_crashed_holder_is_waited_for_until_its_lease_ends_and_the_next_one_as_well() {
        let mut process = Process::new();
        let crashed = process.requesting(1);
        assert!(!process.looks(crashed, LEASE));
        let next = process.requesting(2);
        assert!(!process.looks(next, LEASE / 3));
        // renewed
        let next = process.requesting(2);
        assert!(!process.looks(next, LEASE / 3));
    }

    #[test]
    fn a_holder_that_renews_its_lease_is_waited_for() {
        let mut process = Process::new();
        for _ in 0..100 {
            let renewed = process.requesting(1);
            assert!(!process.looks(renewed, LEASE / 3));
        }
    }

    #[test]
    fn an_outage_of_the_authorization_server_ends_no_wait() {
        let mut process = Process::new();
        for holder in 0..100 {
            let claim = process.requesting(holder);
            assert!(!process.looks(claim, LEASE / 3));
            let backoff = process.claim(holder, ClaimState::BackingOff, 2 * LEASE);
            assert!(!process.looks(backoff, 2 * LEASE));
        }
    }

    #[test]
    fn waits_that_each_end_with_a_token_do_not_add_up() {
        let mut process = Process::new();
        for number in 0..100 {
            process.need = Some(Need::new(1, number.into()));
            let claim = process.requesting(number);
            assert!(!process.looks(claim, LEASE), "{number}");
        }
    }

    #[test]
    fn a_cache_that_gets_a_token_ends_the_wait_of_no_other_cache() {
        let mut process = Process::new();
        for number in 0..=u8::MAX {
            let claim = process.requesting(number);
            // another cache of the process, which waits for another token each time
            let other = process
                .waits
                .looks("lease", Some(Need::new(2, number.into())));
            assert_eq!(other.see(&[(claim, LEASE)], process.now), Some(false));
            if process.looks(claim, LEASE) {
                let waited = process.waited();
                assert!(waited <= LEASE.mul_f64(1.5) + 2 * POLL, "{waited:?}");
                return;
            }
        }
        panic!("the process waits for ever");
    }

    /// The end of their need is not known. Calls that follow each other at once belong together.
    #[test]
    fn calls_that_no_cache_makes_are_one_wait_until_they_pause() {
        let mut process = Process::new();
        process.need = None;
        for number in 0..100 {
            let claim = process.requesting(number);
            assert!(!process.looks(claim, LEASE), "{number}");
            process.now += BETWEEN_LOOKS;
        }
        let claim = process.requesting(100);
        assert!(!process.looks(claim, LEASE));
        let next = process.requesting(101);
        assert!(process.looks(next, LEASE));
    }

    #[test]
    fn leases_that_are_seen_rarely_are_no_wait() {
        let mut process = Process::new();
        for holder in 0..100 {
            let claim = process.requesting(holder);
            assert!(!process.looks(claim, POLL));
            process.now += FORGOTTEN_AFTER;
        }
    }

    /// Shows each holder's claim for `shown`, as a client that restores and deletes claims can.
    fn wait_for_restored_claims(shown: Duration) -> Duration {
        let mut process = Process::new();
        for holder in 0..=u8::MAX {
            let claim = process.requesting(holder);
            if process.looks(claim, shown) {
                return process.waited();
            }
        }
        panic!("the process waits for ever");
    }

    #[test]
    fn claims_that_are_restored_after_their_release_delay_a_process_for_a_bounded_time() {
        for shown in [LEASE, LEASE / 2, LEASE / 3, LEASE / 5, POLL] {
            let waited = wait_for_restored_claims(shown);
            assert!(
                waited <= LEASE.mul_f64(1.5) + 2 * POLL,
                "{shown:?}: {waited:?}"
            );
        }
    }

    #[test]
    fn two_recorded_claims_that_alternate_are_no_renewals() {
        let mut process = Process::new();
        let first = process.requesting(1);
        process.now += LEASE / 3;
        let second = process.requesting(1);
        let mut given_up = false;
        while !given_up && second.left(process.server_time()).is_some() {
            given_up = process.looks(first, POLL) || process.looks(second, POLL);
        }
        let third = process.requesting(2);
        assert!(given_up || process.looks(third, LEASE));
        assert!(
            process.waited() <= 2 * LEASE + POLL,
            "{:?}",
            process.waited()
        );
    }

    /// The authorization server takes eight seconds, and each holder renews its lease meanwhile.
    #[test]
    fn holders_whose_tokens_are_deleted_delay_a_process_for_a_bounded_time() {
        let mut process = Process::new();
        for holder in 0..=u8::MAX {
            for _ in 0..5 {
                let claim = process.requesting(holder);
                if process.looks(claim, LEASE / 3) {
                    let waited = process.waited();
                    assert!(waited <= LEASE * 4 + 2 * POLL, "{waited:?}");
                    return;
                }
            }
        }
        panic!("the process waits for ever");
    }

    /// Three quarters of an attempt of 5 s, once a minute. The claims of the fleet are restored meanwhile.
    #[test]
    fn attempts_that_are_short_and_rare_delay_a_process_for_a_bounded_number_of_them() {
        let mut process = Process::new();
        for attempt in 0..u8::MAX {
            let claim = process.requesting(attempt);
            if process.looks(claim, LEASE * 3 / 4) {
                assert!(attempt <= 2, "{attempt}");
                return;
            }
            process.now += Duration::from_secs(60);
        }
        panic!("the process waits for ever");
    }

    /// The authorization server does not respond for a quarter of an hour. The process never looks while
    /// a holder backs off.
    #[test]
    fn an_outage_ends_no_wait_of_a_process_that_misses_the_claims_to_back_off() {
        let mut process = Process::new();
        for holder in 0..60 {
            for renewals in 0..6 {
                let state = match holder {
                    0 => ClaimState::Requesting,
                    _ => ClaimState::RequestingAgain,
                };
                let claim = process.claim(holder, state, LEASE);
                assert!(!process.looks(claim, LEASE / 3), "{holder}, {renewals}");
            }
            process.now += 2 * LEASE;
        }
    }

    /// A fallback lease is looked at once in an attempt.
    #[test]
    fn a_lease_that_is_looked_at_once_in_an_attempt_is_no_wait() {
        let mut process = Process::new();
        for holder in 0..100 {
            let claim = process.requesting(holder);
            assert!(!process.looks(claim, POLL), "{holder}");
            process.now += Duration::from_secs(11);
        }
    }

    #[test]
    fn another_claim_beside_that_of_the_known_holder_changes_nothing() {
        let mut process = Process::new();
        for round in 1..100 {
            let renewed = process.requesting(0);
            assert!(!process.looks(renewed, LEASE / 3), "{round}");
            let brief = process.requesting(round);
            let claims = [(brief, LEASE), (renewed, LEASE * 2 / 3)];
            assert!(!process.sees(&claims), "{round}");
        }
    }
}
