//! The floor of the benches: a header, and the time at which it expires.

use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};

/// A header, and the time at which it expires.
pub struct Entry {
    pub header: HeaderValue,
    expires_at: i64,
}

impl Entry {
    pub fn new() -> Self {
        Self {
            header: crate::header(),
            expires_at: coarse_seconds() + 3600,
        }
    }

    /// Reads one coarse clock, and asserts that the header has not expired.
    #[inline]
    pub fn check(&self) {
        assert!(coarse_seconds() < self.expires_at);
    }
}

#[inline]
fn coarse_seconds() -> i64 {
    clock_gettime(ClockId::MonotonicCoarse).tv_sec
}
