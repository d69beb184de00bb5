//! The limit of the refreshes that the rejections of an API may cause.

use std::time::Duration;

use crate::time::Now;

/// The rejection budget: four refreshes in a row, and one more every 30 s.
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
