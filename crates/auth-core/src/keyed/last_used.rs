//! The time of last use, to the second.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::time::Now;

/// The second of the last use, by the monotonic clock. It is written at most once a second, so that
/// threads that use the same value at the same time do not contend for its cache line.
#[derive(Debug)]
pub(super) struct LastUsed(AtomicU64);

impl LastUsed {
    pub(super) fn at(now: Now) -> Self {
        Self(AtomicU64::new(now.monotonic.as_secs()))
    }

    /// Records a use. Returns whether the second was written. A clock that goes back changes
    /// nothing.
    #[inline]
    pub(super) fn record(&self, now: Now) -> bool {
        let second = now.monotonic.as_secs();
        self.0.load(Relaxed) < second && self.0.fetch_max(second, Relaxed) < second
    }

    pub(super) fn second(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread, time::Duration};

    use super::*;

    fn at(milliseconds: u64) -> Now {
        let time = Duration::from_millis(milliseconds);
        Now {
            monotonic: time,
            wall: time,
        }
    }

    #[test]
    fn a_thread_writes_once_a_second() {
        let last_used = LastUsed::at(at(1_999));
        let written = |from| (from..from + 1000).filter(|ms| last_used.record(at(*ms)));
        assert_eq!(written(1_000).count(), 0);
        assert_eq!(written(2_000).collect::<Vec<_>>(), [2_000]);
        assert_eq!(written(3_500).collect::<Vec<_>>(), [3_500, 4_000]);
        assert_eq!(last_used.second(), 4);
    }

    #[test]
    fn all_threads_together_write_once_a_second() {
        const THREADS: u64 = 4;
        const SECONDS: u64 = 1000;
        let (last_used, start) = (LastUsed::at(at(0)), Barrier::new(4));
        let written: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let seconds = 1..=SECONDS;
                        seconds.filter(|s| last_used.record(at(s * 1000))).count()
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert!(written <= 1000, "{written}");
        assert_eq!(last_used.second(), SECONDS);
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing() {
        let last_used = LastUsed::at(at(9_000));
        assert!(!last_used.record(at(3_000)));
        assert_eq!(last_used.second(), 9);
    }
}
