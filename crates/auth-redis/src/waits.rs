//! For how long leases have kept this process from requesting tokens. It does no I/O.
//!
//! A proven claim may have been recorded and restored by a client without a seal key, until its end.
//! If such a client also deletes the tokens, one process after another acquires the lease, and each
//! waits until the last claim has ended. A process therefore waits a bounded time only. It depends on
//! what holders that still exist leave behind: a renewed claim, a claim to back off, or a token. A claim
//! to back off that this process has not seen is known from the claim of the next holder.
//!
//! Only time in which the process looks at the lease counts: what a holder leaves behind at another time
//! may not be seen. The fallback lease is looked at once in an attempt, and so is never given up.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::Duration};

use tokio::time::Instant;

use crate::{
    format::millis,
    lease_claim::{Claim, ClaimState},
};

/// A wait is forgotten if no lease was seen for this time. It is long, since attempts that are too short
/// to give up may follow each other rarely.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// Between two looks at a lease that is waited for, less time passes.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// The number of holders after which the whole wait is limited.
const MANY_HOLDERS: u32 = 3;

/// The wait for the lease of one cache key.
#[derive(Debug)]
struct Wait {
    claim: Claim,
    last_seen: Instant,
    /// The time for which this process has waited, and for which the holder of the claim has kept it
    /// waiting without a sign of life.
    whole: Duration,
    current: Duration,
    /// The time for which earlier holders kept this process waiting without a sign of life.
    unexplained: Duration,
    holders: u32,
    /// When the youngest token that is known was issued, by the server's clock in milliseconds.
    issued: u64,
    /// Whether a holder has left a token since the last claim was seen.
    has_token: bool,
}

impl Wait {
    fn new(claim: Claim, now: Instant) -> Self {
        Self {
            claim,
            last_seen: now,
            whole: Duration::ZERO,
            current: Duration::ZERO,
            unexplained: Duration::ZERO,
            holders: 1,
            // the holder may have renewed its claim during a slow token request
            issued: claim.end.saturating_sub(millis(claim.duration * 3)),
            has_token: false,
        }
    }

    /// Begins again with `claim`.
    fn begin_again(&mut self, claim: Claim, now: Instant) {
        let issued = self.issued;
        *self = Self::new(claim, now);
        self.issued = self.issued.max(issued);
    }

    /// Notes that `claim` was seen, which lasts for `left`.
    fn see(&mut self, claim: Claim, left: Duration, now: Instant) {
        let gap = now.duration_since(self.last_seen);
        if self.has_token || gap > FORGOTTEN_AFTER {
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

/// The waits of a process, by the name of the key of the lease.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<String, Wait>>);

impl Waits {
    /// Notes that `claims` keep this process from requesting a token, each for the time beside it. Returns
    /// whether the process has waited for long enough; `None` if there is no claim.
    ///
    /// One claim is followed, that of the known holder if there is one: during a rotation of the seal key,
    /// another process may acquire one place of a lease for an instant, whose other place is held.
    pub(crate) fn see(
        &self,
        name: &str,
        claims: &[(Claim, Duration)],
        now: Instant,
    ) -> Option<bool> {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = waits.get(name).map(|wait| wait.claim.holder);
        let mut known = claims
            .iter()
            .filter(|(claim, _)| Some(claim.holder) == known);
        let (claim, left) = *known.next().or(claims.first())?;
        if let Some(wait) = waits.get_mut(name) {
            wait.see(claim, left, now);
            return Some(wait.is_over());
        }
        // at sizes that double, so that forgetting costs little on average
        if waits.len().is_power_of_two() {
            waits.retain(|_, wait| now.duration_since(wait.last_seen) <= FORGOTTEN_AFTER);
        }
        waits.insert(name.to_owned(), Wait::new(claim, now));
        Some(false)
    }

    /// Notes that a token was found, which was issued at `issued` by the server's clock in
    /// milliseconds. If it is younger than those before, a holder left it, and the wait has ended. An
    /// old one may have been restored.
    pub(crate) fn find_token(&self, name: &str, issued: u64) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = waits.get_mut(name)
            && issued > wait.issued
        {
            wait.issued = issued;
            wait.has_token = true;
        }
    }

    /// Notes that this process has acquired the lease.
    pub(crate) fn end(&self, name: &str) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waits.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);
    const POLL: Duration = Duration::from_millis(500);

    /// A process that looks at a lease twice a second. The server's clock is the process's.
    struct Process {
        waits: Waits,
        started: Instant,
        now: Instant,
    }

    impl Process {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                waits: Waits::default(),
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
                if self.waits.see("lease", &[(claim, left)], self.now) == Some(true) {
                    return true;
                }
                self.now += POLL;
            }
            false
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
    fn a_process_that_acquires_the_lease_waits_no_longer() {
        let mut process = Process::new();
        for holder in 0..100 {
            let claim = process.requesting(holder);
            assert!(!process.looks(claim, LEASE));
            process.waits.end("lease");
        }
    }

    #[test]
    fn waits_that_each_end_with_a_token_do_not_add_up() {
        let mut process = Process::new();
        for holder in 0..100 {
            let requested = process.server_time();
            let claim = process.requesting(holder);
            assert!(!process.looks(claim, LEASE / 3), "{holder}");
            process.waits.find_token("lease", requested);
            process.now += LEASE;
        }
    }

    #[test]
    fn a_token_that_is_restored_ends_no_second_wait() {
        let mut process = Process::new();
        process.now += LEASE;
        let restored = process.server_time();
        for holder in 0..=u8::MAX {
            let claim = process.requesting(holder);
            if process.looks(claim, LEASE / 3) {
                let bound = LEASE + LEASE.mul_f64(1.5) + LEASE / 3 + 4 * POLL;
                assert!(process.waited() <= bound, "{:?}", process.waited());
                return;
            }
            process.waits.find_token("lease", restored);
        }
        panic!("the process waits for ever");
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
            let is_over = process.waits.see("lease", &claims, process.now);
            assert_eq!(is_over, Some(false), "{round}");
        }
    }
}
