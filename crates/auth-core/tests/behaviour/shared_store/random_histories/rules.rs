//! The limits that follow from the figures of the policy.

use std::time::Duration;

use auth_core::{Error, ErrorKind, shared_store::SharedToken};
use auth_test_support::secs;

/// The maximum time of a fetch: ten seconds, and the grace of 500 ms.
pub(super) const MAX_FETCH: Duration = Duration::from_millis(10_500);
/// A token that was saved more recently may have been saved after the last read of the store.
pub(super) const JUST_SAVED: Duration = Duration::from_millis(500);
/// A process without a token backs off for at least this long after a failure, and keeps the lease meanwhile.
pub(super) const MIN_BACKOFF: Duration = Duration::from_millis(750);
pub(super) const HOLDER_AND_FALLBACK: usize = 2;
pub(super) const MAX_REQUESTS_PER_MINUTE: usize = 40;
/// A token from the store may be older by a second, and by the latency of the store.
pub(super) const AGE_TOLERANCE: Duration = Duration::from_secs(4);

/// Returns the age from which on a process may find a token stale.
pub(super) fn earliest_stale(lifetime: Duration) -> Duration {
    let margin = (lifetime / 20)
        .min(secs(30))
        .max((lifetime / 3).min(secs(1)));
    let window = (lifetime * 6 / 25).min(secs(4320));
    lifetime - margin - window * 11 / 8
}

/// Returns whether no process finds a token from the store stale.
pub(super) fn is_fresh(token: &SharedToken) -> bool {
    let lifetime = token.lifetime();
    token.age() + secs(1) < earliest_stale(lifetime)
}

/// Returns how long after all faults the last process may be without a token, if no backoff is longer
/// than `backoff`: a request that hangs, a backoff, a wait for the lease of another process, a backoff
/// without a token, and a token request.
pub(super) fn recovery(backoff: Duration) -> Duration {
    MAX_FETCH + backoff + MAX_FETCH + backoff.min(secs(12)) + secs(1)
}

/// The time during which a rejection of an unaccepted replacement is delivered to the caller.
pub(super) const ON_PROBATION: Duration = Duration::from_secs(30);

/// Asserts that a waiter may receive `error`: not an error of a panic, of a missing runtime or of the store.
pub(super) fn assert_waiter_may_receive(error: &Error) {
    use ErrorKind::{Connection, Denied, InvalidResponse, Timeout, Unavailable};
    let kinds = [Connection, InvalidResponse, Denied, Timeout, Unavailable];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
