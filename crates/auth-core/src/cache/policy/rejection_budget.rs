//! The limits of the refreshes that the rejections of an API may cause.

use std::time::Duration;

use crate::time::Now;

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
    /// Checks that a rejection of this kind may start a fetch. `is_confirmed`: the token was rejected
    /// a while ago, and no API has accepted it since.
    ///
    /// # Errors
    /// The reason why it may not.
    pub(crate) fn check(
        &mut self,
        kind: RejectionKind,
        is_confirmed: bool,
        now: Now,
    ) -> Result<(), &'static str> {
        match (self.of(kind).left(now), kind) {
            (0, RejectionKind::Explicit) => Err("the budget of explicit rejections is used up"),
            (0, RejectionKind::Bare) => Err("the budget of bare rejections is used up"),
            (1..=RejectionBudget::RESERVED, _) if !is_confirmed => Err(
                "the rest of the rejection budget is kept for a token that no API accepts any more",
            ),
            _ => Ok(()),
        }
    }

    /// Takes a fetch from the budget, after [`check`](Self::check) has succeeded.
    pub(crate) fn take(&mut self, kind: RejectionKind, now: Now) {
        self.of(kind).take(now);
    }

    /// Gives back what a failed fetch took. The backoff bounds how soon the next one follows.
    pub(crate) fn give_back(&mut self, kind: RejectionKind) {
        self.of(kind).give_back();
    }

    fn of(&mut self, kind: RejectionKind) -> &mut RejectionBudget {
        match kind {
            RejectionKind::Explicit => &mut self.explicit,
            RejectionKind::Bare => &mut self.bare,
        }
    }
}

/// A rejection budget: four refreshes in a row, and one more every 30 s. The last one is kept for a
/// token that no API accepts any more. An endpoint that rejects every token, beside endpoints that
/// accept it, therefore does not use up what a revocation needs.
///
/// An API that rejects every token causes one new token every 30 s at most.
#[derive(Debug)]
struct RejectionBudget {
    left: u32,
    /// The time of the last growth, by the monotonic clock.
    grown_at: Duration,
}

impl RejectionBudget {
    const MAX: u32 = 4;
    const RESERVED: u32 = 1;
    const GROWS_EVERY: Duration = Duration::from_secs(30);

    fn left(&mut self, now: Now) -> u32 {
        while self.left < Self::MAX
            && now.monotonic.saturating_sub(self.grown_at) >= Self::GROWS_EVERY
        {
            self.left += 1;
            self.grown_at = self.grown_at.saturating_add(Self::GROWS_EVERY);
        }
        self.left
    }

    fn take(&mut self, now: Now) {
        if self.left == Self::MAX {
            self.grown_at = now.monotonic;
        }
        self.left -= 1;
    }

    fn give_back(&mut self) {
        self.left = Self::MAX.min(self.left + 1);
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
    use RejectionKind::{Bare, Explicit};

    use super::*;

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::ZERO,
        }
    }

    /// Takes from the budget if it permits that.
    fn take(budgets: &mut RejectionBudgets, is_confirmed: bool, seconds: u64) -> bool {
        let permits = budgets.check(Explicit, is_confirmed, at(seconds)).is_ok();
        if permits {
            budgets.take(Explicit, at(seconds));
        }
        permits
    }

    #[test]
    fn four_refreshes_and_then_one_every_thirty_seconds() {
        let mut budgets = RejectionBudgets::default();
        let mut take = |seconds| take(&mut budgets, true, seconds);
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

    #[test]
    fn the_last_refresh_is_kept_for_a_confirmed_rejection() {
        let mut budgets = RejectionBudgets::default();
        let four = [1000; 4].map(|seconds| take(&mut budgets, false, seconds));
        assert_eq!(four, [true, true, true, false]);
        assert!(take(&mut budgets, true, 1000));
        let growing = [1030, 1059, 1060].map(|seconds| take(&mut budgets, false, seconds));
        assert_eq!(growing, [false, false, true], "the reserve grows first");
    }

    #[test]
    fn a_budget_that_is_given_back_does_not_exceed_its_maximum() {
        let mut budgets = RejectionBudgets::default();
        for _ in 0..10 {
            assert!(take(&mut budgets, true, 1000));
            budgets.give_back(Explicit);
        }
        budgets.give_back(Explicit);
        let left = [1000; 5].map(|seconds| take(&mut budgets, true, seconds));
        assert_eq!(left, [true, true, true, true, false]);
        assert!(
            budgets.check(Bare, false, at(1000)).is_ok(),
            "another budget"
        );
    }
}
