//! The least that a checked token can stand in: a header and when it is over.

use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};

/// A header and when it is over.
pub struct Entry {
    pub header: HeaderValue,
    spent_at: i64,
}

impl Entry {
    pub fn new() -> Self {
        Self {
            header: crate::header(),
            spent_at: coarse_seconds() + 3600,
        }
    }

    /// Reads one coarse clock, and sees that the header is not over.
    #[inline]
    pub fn check(&self) {
        assert!(coarse_seconds() < self.spent_at);
    }
}

#[inline]
fn coarse_seconds() -> i64 {
    clock_gettime(ClockId::MonotonicCoarse).tv_sec
}
