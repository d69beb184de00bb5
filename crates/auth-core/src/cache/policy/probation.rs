//! The probation of a token that replaced a rejected one.

use std::time::Duration;

use super::rejection_budget::RejectionKind;
use crate::time::Now;

/// For this long a rejection of a replacement that no API has accepted starts no fetch: the API
/// would reject the next token as well.
const OF_ANOTHER_TOKEN: Duration = Duration::from_secs(30);
/// The probation of a saved token that may be older than the revocation. A process that rejects such
/// a token in the meantime saves the next one, so that few processes request one.
const OF_OLDER_SAVED_TOKEN: Duration = Duration::from_secs(1);

/// The probation of a token that replaced a rejected one. It ends when an API accepts the token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probation {
    /// By the monotonic clock.
    ends_at: Duration,
    /// The kind of the rejection that caused the fetch of the token.
    cause: RejectionKind,
    /// The number of times in a row that the token endpoint returned a token that had been rejected or
    /// replaced before.
    reissues: u32,
    /// Whether this token, or one before it that no API has accepted either, was spared the probation
    /// of 30 s.
    is_spared: bool,
}

impl Probation {
    /// The probation of a token that was issued at `since`, by the monotonic clock.
    pub(crate) fn of_another_token(since: Duration, cause: RejectionKind) -> Self {
        Self {
            ends_at: since.saturating_add(OF_ANOTHER_TOKEN),
            cause,
            reissues: 0,
            is_spared: false,
        }
    }

    /// The probation of a token that may be older than the revocation of the rejected one. Another
    /// process may have saved it. The times are by the monotonic clock.
    pub(crate) fn of_older_token(
        since: Duration,
        received_at: Duration,
        cause: RejectionKind,
        is_saved: bool,
    ) -> Self {
        let longest = Self::of_another_token(since, cause);
        let wait = match is_saved {
            true => OF_OLDER_SAVED_TOKEN,
            false => Duration::ZERO,
        };
        Self {
            ends_at: received_at.saturating_add(wait).min(longest.ends_at),
            is_spared: true,
            ..longest
        }
    }

    /// The probation of an old token that was returned once more, for the `reissues`-th time in a row.
    /// The token endpoint may cache its responses, so the next one may be another token.
    pub(crate) fn of_old_token(ends_at: Duration, cause: RejectionKind, reissues: u32) -> Self {
        Self {
            ends_at,
            cause,
            reissues,
            is_spared: false,
        }
    }

    /// Returns the probation of a token that follows a spared one which no API has accepted, if
    /// `is_spared`. It is not spared itself.
    pub(crate) fn after(self, is_spared: bool) -> Self {
        Self {
            is_spared: self.is_spared || is_spared,
            ..self
        }
    }

    /// Returns whether a token in a row that no API has accepted was spared the probation of 30 s.
    pub(crate) fn is_spared(self) -> bool {
        self.is_spared
    }

    /// Returns how often in a row the token endpoint returned an old token once more.
    pub(crate) fn reissues(self) -> u32 {
        self.reissues
    }

    /// Returns why a rejection of this kind starts no fetch, if it starts none. The replacement of a
    /// bare rejection is on probation for bare rejections only: an explicit one is more than the
    /// guess before.
    pub(crate) fn withholds(self, kind: RejectionKind, now: Now) -> Option<&'static str> {
        let applies = kind == RejectionKind::Bare || self.cause == RejectionKind::Explicit;
        if !applies || now.monotonic >= self.ends_at {
            return None;
        }
        Some(match self.reissues {
            0 => "the rejected token is itself a replacement that no API has accepted",
            _ => "the token endpoint returned an old token once more, and is not asked again yet",
        })
    }
}
