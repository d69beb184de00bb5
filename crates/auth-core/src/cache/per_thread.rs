//! One copy of the token for each thread.
//!
//! Cloning a header value increments its reference count. Threads that clone the same value pass
//! the count's cache line back and forth: with two threads a read then costs several times as much
//! as with one. Therefore each thread clones a copy of its own. There are at most as many copies as
//! processors, so threads beyond that number share copies.

use std::{
    sync::{
        OnceLock, atomic,
        atomic::Ordering::{Acquire, Relaxed, Release},
    },
    thread::available_parallelism,
};

use super::sync::{AtomicUsize, thread_local};
use crate::AccessToken;

/// More copies than this bring no further gain.
const MAX_COPIES: usize = 64;

/// A value that can be copied into memory of its own, so that the clones of one copy share no
/// reference count with the clones of another.
pub(super) trait Duplicate {
    fn duplicate(&self) -> Self;
}

impl Duplicate for AccessToken {
    fn duplicate(&self) -> Self {
        self.copy()
    }
}

/// A token and its copies.
///
/// Copies are made when a thread first reads the token. A token that only one thread reads has no
/// copy in addition to the original.
#[derive(Debug)]
pub(super) struct PerThread<T> {
    original: T,
    /// The number of the thread that reads the original; 0 until the first read.
    first_reader: AtomicUsize,
    copies: OnceLock<Box<[OnceLock<T>]>>,
}

impl<T: Duplicate> PerThread<T> {
    pub(super) fn new(original: T) -> Self {
        Self {
            original,
            first_reader: AtomicUsize::new(0),
            copies: OnceLock::new(),
        }
    }

    /// Returns the original, the same for every thread.
    pub(super) fn original(&self) -> &T {
        &self.original
    }

    /// Returns the calling thread's copy.
    #[inline]
    pub(super) fn mine(&self) -> &T {
        let me = thread_number();
        if self.first_reader.load(Acquire) == me {
            return &self.original;
        }
        self.copy(me)
    }

    #[inline]
    fn copy(&self, me: usize) -> &T {
        if let Some(copies) = self.copies.get()
            && let Some(copy) = copies[me % copies.len()].get()
        {
            return copy;
        }
        self.make_copy(me)
    }

    #[cold]
    fn make_copy(&self, me: usize) -> &T {
        let claimed = self.first_reader.compare_exchange(0, me, Release, Relaxed);
        if claimed.is_ok() {
            return &self.original;
        }
        let copies = self
            .copies
            .get_or_init(|| (0..max_copies()).map(|_| OnceLock::new()).collect());
        copies[me % copies.len()].get_or_init(|| self.original.duplicate())
    }
}

/// Returns the number of processors, at most [`MAX_COPIES`]. The system is queried once per
/// process, because a query takes far longer than a read.
fn max_copies() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let count = || available_parallelism().map_or(1, usize::from);
    (*PROCESSORS.get_or_init(count)).min(MAX_COPIES)
}

/// Returns the calling thread's number. Threads are numbered from 1, by their first call.
#[inline]
fn thread_number() -> usize {
    static THREADS: atomic::AtomicUsize = atomic::AtomicUsize::new(1);
    thread_local!(static NUMBER: usize = THREADS.fetch_add(1, Relaxed));
    // a thread-local without a destructor exists until the thread ends
    NUMBER.try_with(|number| *number).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::{TokenResponse, time::Now};

    fn per_thread() -> PerThread<AccessToken> {
        let end = Now {
            monotonic: Duration::ZERO,
            wall: Duration::ZERO,
        };
        let response = TokenResponse::bearer("abc").unwrap();
        let requested = "".parse().unwrap();
        PerThread::new(AccessToken::new(response, 1, end, &requested))
    }

    fn address(token: &PerThread<AccessToken>) -> usize {
        assert_eq!(token.mine().secret(), "abc");
        token.mine().secret().as_ptr().addr()
    }

    #[test]
    fn the_first_thread_reads_the_original_and_no_copy_is_made() {
        let token = per_thread();
        assert_eq!(address(&token), token.original.secret().as_ptr().addr());
        assert_eq!(address(&token), address(&token));
        assert!(token.copies.get().is_none());
    }

    #[test]
    fn another_thread_has_another_copy() {
        let token = per_thread();
        let mine = address(&token);
        let (theirs, again) = thread::scope(|scope| {
            let other = scope.spawn(|| (address(&token), address(&token)));
            other.join().unwrap()
        });
        assert_ne!(mine, theirs);
        assert_eq!(theirs, again);
        assert_eq!(mine, address(&token));
    }

    #[test]
    fn there_are_at_most_as_many_copies_as_processors_in_addition_to_the_original() {
        let token = per_thread();
        let mut all: Vec<_> = (0..100)
            .map(|_| thread::scope(|s| s.spawn(|| address(&token)).join().unwrap()))
            .collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() <= max_copies() + 1, "{}", all.len());
    }
}
