//! The limits of the refreshes that the rejections of an API may cause.

use std::time::Duration;

use crate::time::Now;

/// For this long a rejection of a replacement that no API has accepted starts no fetch: the API
/// would reject the next token as well.
const PROBATION: Duration = Duration::from_secs(30);

/// How an API rejected a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RejectionKind {
    /// The response states `error="invalid_token"`.
    Explicit,
    /// The response states no reason: a bare 401, or the gRPC status `UNAUTHENTICATED`. That another
    /// token would help is a guess. An endpoint may respond so to every token.
    Bare,
}

/// The rejection budgets: one for each kind of rejection, so that the bare rejections of one endpoint
/// do not keep a token in use that the API has explicitly rejected.
#[derive(Debug, Default)]
pub(crate) struct RejectionBudgets {
    explicit: RejectionBudget,
    bare: RejectionBudget,
}

impl RejectionBudgets {
    pub(crate) fn of(&mut self, kind: RejectionKind) -> &mut RejectionBudget {
        match kind {
            RejectionKind::Explicit => &mut self.explicit,
            RejectionKind::Bare => &mut self.bare,
        }
    }
}

/// The probation of a token that replaced a rejected one. It ends when an API accepts the token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probation {
    /// The time at which the token was issued, by the monotonic clock.
    pub(crate) since: Duration,
    /// The kind of the rejection that caused the fetch of the token.
    pub(crate) cause: RejectionKind,
}

impl Probation {
    /// Returns whether a rejection of this kind starts no fetch. The replacement of a bare rejection
    /// is on probation for bare rejections only: an explicit one is more than the guess before.
    pub(crate) fn withholds(self, kind: RejectionKind, now: Now) -> bool {
        let applies = kind == RejectionKind::Bare || self.cause == RejectionKind::Explicit;
        applies && now.monotonic < self.since.saturating_add(PROBATION)
    }
}

/// A rejection budget: four refreshes in a row, and one more every 30 s.
///
/// An API that rejects every token therefore causes one token request every 30 s at most.
#[derive(Debug)]
pub(crate) struct RejectionBudget {
    left: u32,
    /// The time of the last growth, by the monotonic clock.
    grown_at: Duration,
}

impl RejectionBudget {
    const MAX: u32 = 4;
    const GROWS_EVERY: Duration = Duration::from_secs(30);

    pub(crate) fn is_left(&mut self, now: Now) -> bool {
        while self.left < Self::MAX
            && now.monotonic.saturating_sub(self.grown_at) >= Self::GROWS_EVERY
        {
            self.left += 1;
            self.grown_at = self.grown_at.saturating_add(Self::GROWS_EVERY);
        }
        self.left > 0
    }

    /// Takes one refresh from the budget, after [`is_left`](Self::is_left) has returned true.
    pub(crate) fn take(&mut self, now: Now) {
        if self.left == Self::MAX {
            self.grown_at = now.monotonic;
        }
        self.left -= 1;
    }
}

impl Default for RejectionBudget {
    fn default() -> Self {
        Self {
            left: Self::MAX,
            grown_at: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_refreshes_and_then_one_every_thirty_seconds() {
        let at = |seconds| Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::ZERO,
        };
        let mut budget = RejectionBudget::default();
        let mut take = |seconds| {
            let left = budget.is_left(at(seconds));
            if left {
                budget.take(at(seconds));
            }
            left
        };
        assert_eq!(
            [1000; 6].map(&mut take),
            [true, true, true, true, false, false]
        );
        assert_eq!(
            [1029, 1030, 1031, 1059, 1060].map(&mut take),
            [false, true, false, false, true]
        );
        assert_eq!([9000; 5].map(&mut take), [true, true, true, true, false]);
    }
}
