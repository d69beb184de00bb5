//! What follows from the policy's numbers.

use std::time::Duration;

use auth_core::{Error, ErrorKind, SharedToken};
use auth_test_support::secs;

/// A request is over after that: ten seconds, and the grace.
pub(super) const MAX_FETCH: Duration = Duration::from_millis(10_500);
/// What is younger may have been saved after the last look.
pub(super) const JUST_SAVED: Duration = Duration::from_millis(500);
/// A process without a token backs off for at least this long after a failure, and keeps the lease for so long.
pub(super) const MIN_BACKOFF: Duration = Duration::from_millis(750);
pub(super) const HOLDER_AND_FALLBACK: usize = 2;
pub(super) const MAX_REQUESTS_PER_MINUTE: usize = 40;
/// A token from the store may be older by a second, and by the time that the store took.
pub(super) const AGE_TOLERANCE: Duration = Duration::from_secs(4);

/// The age at which the earliest of all processes may find a token stale.
pub(super) fn earliest_stale(lifetime: Duration) -> Duration {
    let margin = (lifetime / 20)
        .min(secs(30))
        .max((lifetime / 3).min(secs(1)));
    let window = (lifetime * 6 / 25).min(secs(4320));
    lifetime - margin - window * 11 / 8
}

/// Whether no process finds a token from the store stale.
pub(super) fn is_fresh(token: &SharedToken) -> bool {
    let lifetime = token.lifetime();
    token.age() + secs(1) < earliest_stale(lifetime)
}

/// How long after all faults the last process may be without a token, if no backoff is longer
/// than `pause`: a request that hangs, a backoff, a request behind another's lease, a backoff without a
/// token, and a token request.
pub(super) fn recovery(backoff: Duration) -> Duration {
    MAX_FETCH + backoff + MAX_FETCH + backoff.min(secs(12)) + secs(1)
}

/// For so long another rejection of a token that a rejection brought is delivered.
pub(super) const ON_PROBATION: Duration = Duration::from_secs(30);

/// The errors that a waiter may get: not of a panic, nor that nothing drives the request,
/// nor of the store.
pub(super) fn assert_waiter_may_receive(error: &Error) {
    use ErrorKind::{Connection, Denied, InvalidResponse, Timeout, Unavailable};
    let kinds = [Connection, InvalidResponse, Denied, Timeout, Unavailable];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
