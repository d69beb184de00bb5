//! A small number for each thread that reads tokens.
//!
//! Threads that live at the same time have different numbers, as long as there are at most
//! [`NUMBERS`] of them. A thread that ends returns its number. Nothing here depends on how many
//! processors there are: a thread that is pinned to one of them sees only that one.

// not loom's: a number decides only which copy of a token a thread reads
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::sync::thread_local;

/// The number of numbers. Threads beyond it share numbers.
pub(super) const NUMBERS: usize = u64::BITS as usize;

static POOL: Pool = Pool::new();

thread_local!(static NUMBER: Number = POOL.take());

/// Returns the calling thread's number, from 1 to [`NUMBERS`].
#[inline]
pub(super) fn thread_number() -> usize {
    // a thread that is ending shares the number of another
    NUMBER.try_with(|number| number.number).unwrap_or(1)
}

/// The numbers in use.
struct Pool {
    /// The bit of the number `n` is `n - 1`.
    in_use: AtomicU64,
    /// The number of times that no number was free.
    shared: AtomicUsize,
}

/// The number of one thread, which returns to its pool on drop.
struct Number {
    number: usize,
    /// `None` if the number is shared with another thread.
    pool: Option<&'static Pool>,
}

impl Pool {
    const fn new() -> Self {
        Self {
            in_use: AtomicU64::new(0),
            shared: AtomicUsize::new(0),
        }
    }

    /// Takes the lowest free number.
    fn take(&'static self) -> Number {
        let with_one_more = |bits: u64| (bits != u64::MAX).then(|| bits | (bits + 1));
        match self.in_use.fetch_update(Relaxed, Relaxed, with_one_more) {
            Ok(before) => Number {
                number: before.trailing_ones() as usize + 1,
                pool: Some(self),
            },
            Err(_all) => Number {
                number: self.shared.fetch_add(1, Relaxed) % NUMBERS + 1,
                pool: None,
            },
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(pool) = self.pool {
            pool.in_use.fetch_and(!(1 << (self.number - 1)), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn numbers(taken: &[Number]) -> Vec<usize> {
        taken.iter().map(|one| one.number).collect()
    }

    #[test]
    fn numbers_are_different_while_there_are_enough() {
        static POOL: Pool = Pool::new();
        let mut taken: Vec<_> = (0..NUMBERS).map(|_| POOL.take()).collect();
        assert_eq!(numbers(&taken), (1..=NUMBERS).collect::<Vec<_>>());
        let beyond = [POOL.take(), POOL.take()];
        assert_eq!(numbers(&beyond), [1, 2], "shared");
        drop(beyond);
        drop(taken.remove(4));
        assert_eq!(POOL.take().number, 5, "it was returned");
        drop(taken);
        assert_eq!(POOL.take().number, 1);
    }

    #[test]
    fn a_number_returns_when_its_thread_ends() {
        static POOL: Pool = Pool::new();
        std::thread_local!(static MINE: Number = POOL.take());
        for _ in 0..2 * NUMBERS {
            let number = thread::spawn(|| MINE.with(|mine| mine.number)).join();
            assert_eq!(number.unwrap(), 1);
        }
    }

    #[test]
    fn a_thread_keeps_its_number() {
        assert_eq!(thread_number(), thread_number());
        assert!((1..=NUMBERS).contains(&thread_number()));
    }
}
