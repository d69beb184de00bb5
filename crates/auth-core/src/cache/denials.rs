//! Denials of the client, and the backoff of all caches of its source after them.

use std::time::Duration;

use super::{policy::RefreshPolicy, turn_order::Rank};
use crate::Error;

/// All caches back off after the client was denied in so many of them. The denials of fewer caches
/// may concern these caches alone.
const CACHES_TRIED: u32 = 3;

/// The denials of the client since the last success.
#[derive(Debug, Default)]
pub(super) struct Denials {
    /// `None` after a success.
    series: Option<Series>,
    /// The number of series so far.
    series_so_far: u64,
    /// The number of denials that started or lengthened a backoff.
    denials: u64,
    /// The number of token requests so far.
    requests: u64,
    /// The last token request that was answered with a token, in the order in which they were sent.
    last_issued: u64,
    /// The last one that was denied, likewise.
    last_denied: u64,
    /// The number of denials that concerned their caches alone, since a token was issued to a later
    /// token request than every denied one.
    excused: u32,
    /// Whether a token was issued for the current credentials, or loaded from the shared store.
    has_issued: bool,
}

/// Denials without a success in between.
#[derive(Debug)]
struct Series {
    number: u64,
    error: Error,
    /// The number of attempts in a row that were denied. The first attempts of [`CACHES_TRIED`]
    /// caches count as one.
    in_a_row: u32,
    /// The number of caches in which the client was denied.
    caches: u32,
    /// The time of the next attempt of these caches.
    next_attempt: Duration,
    /// The time of the next attempt of the other caches.
    next_of_others: Duration,
    /// Whether only caches without a proof of the credentials back off: the denied cache has none,
    /// and other caches were issued tokens for the same credentials.
    spares_proven: bool,
}

/// What a cache was answered, as far as it concerns the other caches of its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Whether the cache was issued a token for the current credentials, or loaded one.
    pub(super) is_proven: bool,
    /// The series in which the client was last denied in this cache.
    pub(super) denied_in: Option<u64>,
    pub(super) rank: Rank,
}

/// The state of the client when a token request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The number of the token request among those of all caches.
    pub(super) number: u64,
    denials: u64,
    pub(super) at: Duration,
    pub(super) credentials: u64,
    pub(super) standing: Standing,
}

/// Whom a denial concerns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Denial {
    /// The client, so far as is known.
    Client(Denied),
    /// The denied cache alone.
    Cache,
    /// The credentials have changed since the token request was sent.
    OldCredentials,
}

/// The effect of a denial of the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denied {
    /// The series of which the denial is a part.
    pub(super) series: u64,
    /// The time of the next attempt of the denied cache.
    pub(super) next_attempt: Duration,
    /// Whether caches that were issued a token do not back off.
    pub(super) spares_proven: bool,
}

impl Denials {
    /// Returns the state at the start of a token request.
    pub(super) fn start(&mut self, at: Duration, credentials: u64, standing: Standing) -> Start {
        self.requests += 1;
        Start {
            number: self.requests,
            denials: self.denials,
            at,
            credentials,
            standing,
        }
    }

    /// Returns the error until the next attempt of a cache is due.
    pub(super) fn backing_off(&self, now: Duration, standing: Standing) -> Option<Error> {
        let series = self.series.as_ref()?;
        match standing.is_proven && series.spares_proven {
            true => None,
            false => series.left(now, standing),
        }
    }

    /// Returns the last denial, if there was no success since, and the number of denied attempts in a
    /// row.
    pub(super) fn last(&self, now: Duration, standing: Standing) -> Option<(Error, u32)> {
        let series = self.series.as_ref()?;
        let error = series.left(now, standing);
        let error = error.unwrap_or_else(|| series.error.clone().with_next_attempt(Duration::ZERO));
        Some((error, series.in_a_row))
    }

    /// Records that a token was issued to the token request that was sent at `start`. Returns whether
    /// the client is no longer denied: a token request that was sent before the last denied one may have
    /// been answered before the client was denied.
    pub(super) fn issued_token(&mut self, start: Start) -> bool {
        self.has_issued = true;
        self.last_issued = self.last_issued.max(start.number);
        let is_accepted = start.number > self.last_denied;
        if is_accepted {
            self.series = None;
            self.excused = 0;
        }
        is_accepted
    }

    /// Returns whether a denial concerns the denied cache alone: another cache was issued a token by a
    /// later token request than this one, or than the one `before`, which was the last denied one of
    /// this cache. The latter excuses at most [`CACHES_TRIED`] denials in a row: the client may be
    /// denied everything since.
    pub(super) fn excuses(&mut self, start: Start, before: Option<u64>) -> bool {
        self.last_denied = self.last_denied.max(start.number);
        if self.last_issued > start.number {
            return true;
        }
        let is_contradicted = before.is_some_and(|before| self.last_issued > before);
        let is_excused = is_contradicted && self.excused < CACHES_TRIED;
        self.excused += u32::from(is_excused);
        is_excused
    }

    /// Records that a token was loaded which another process was issued. It tells nothing about a
    /// denial of this one.
    pub(super) fn loaded_token(&mut self) {
        self.has_issued = true;
    }

    /// Ends the backoff.
    pub(super) fn resume(&mut self) {
        self.series = None;
    }

    /// Ends the backoff, because the credentials have changed.
    pub(super) fn credentials_changed(&mut self) {
        self.series = None;
        self.has_issued = false;
    }

    /// Records a denial by a token request that was sent at `start`.
    ///
    /// The requests that were in flight together count as one denial.
    pub(super) fn denied(
        &mut self,
        start: Start,
        error: &Error,
        policy: &RefreshPolicy,
        now: Duration,
    ) -> Denied {
        let before = self.series.as_ref();
        let is_new = start.denials == self.denials || before.is_none();
        let is_first_of_cache =
            before.is_none_or(|before| start.standing.denied_in != Some(before.number));
        let caches_before = before.map_or(0, |before| before.caches);
        let caches = caches_before.saturating_add(u32::from(is_first_of_cache));
        // an attempt of another cache, to find out whether the denial concerns the client
        let is_trial = is_first_of_cache && (1..CACHES_TRIED).contains(&caches_before);
        let in_a_row = before.map_or(0, |before| before.in_a_row);
        let in_a_row = in_a_row.saturating_add(u32::from(is_new && !is_trial));
        let wait = policy.backoff(error, in_a_row, None, fastrand::f64());
        // a `Retry-After` may concern the denied cache alone as well
        let mut others = match caches >= CACHES_TRIED {
            true => now.saturating_add(wait),
            false => now,
        };
        if let Some(before) = before
            && !is_new
            && caches_before >= CACHES_TRIED
        {
            others = match error.server_retry_after() {
                Some(_) => others.max(before.next_of_others),
                None => before.next_of_others,
            };
        }
        // the other caches come first: one of them may be issued a token
        let mut next_attempt = match caches >= CACHES_TRIED {
            true => others.saturating_add(wait / 8),
            false => now.saturating_add(wait),
        };
        if let Some(before) = before
            && !is_new
        {
            next_attempt = next_attempt.max(before.next_attempt);
        }
        self.denials += u64::from(is_new);
        let number = match before {
            Some(before) => before.number,
            None => {
                self.series_so_far += 1;
                self.series_so_far
            }
        };
        let spares_proven = before.is_none_or(|before| before.spares_proven)
            && !start.standing.is_proven
            && self.has_issued;
        self.series = Some(Series {
            number,
            error: error.clone(),
            in_a_row,
            caches,
            next_attempt,
            next_of_others: others,
            spares_proven,
        });
        Denied {
            series: number,
            next_attempt,
            spares_proven,
        }
    }
}

impl Series {
    /// Returns the error until the next attempt is due.
    fn left(&self, now: Duration, standing: Standing) -> Option<Error> {
        let next = match standing.denied_in == Some(self.number) {
            true => self.next_attempt,
            false => self.next_of_others,
        };
        let left = next.checked_sub(now)?;
        (!left.is_zero()).then(|| self.error.clone().with_next_attempt(left))
    }
}
