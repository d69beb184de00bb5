//! One copy of the token for each thread.
//!
//! Cloning a header value increments its reference count. Threads that clone the same value pass
//! the count's cache line back and forth: with two threads a read then costs several times as much
//! as with one. Therefore each thread clones a copy of its own.

use std::sync::{
    OnceLock, atomic,
    atomic::Ordering::{Acquire, Relaxed, Release},
};

use super::{
    sync::AtomicUsize,
    thread_number::{NUMBERS, thread_number},
};
use crate::AccessToken;

/// A token is copied after threads other than the first have read it this often: the memory of a
/// copy is not worth it for a token that is seldom read, one of thousands of keys.
/// loom explores every order of the reads, so that there a copy is made at once.
const COPIED_AFTER: u32 = if cfg!(auth_loom) { 0 } else { 32 };

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
/// The first thread that reads the token reads the original. Each other thread has a copy, made by
/// one of its reads. Threads beyond [`NUMBERS`] share copies.
#[derive(Debug)]
pub(super) struct PerThread<T> {
    original: T,
    /// The number of the thread that reads the original; 0 until the first read.
    first_reader: AtomicUsize,
    /// The reads by threads that had no copy.
    uncopied_reads: atomic::AtomicU32,
    copies: OnceLock<Box<[OnceLock<T>; NUMBERS]>>,
}

/// What one thread reads.
pub(super) enum Mine<'a, T> {
    Original,
    Copy(&'a T),
}

impl<T: Duplicate> PerThread<T> {
    pub(super) fn new(original: T) -> Self {
        Self {
            original,
            first_reader: AtomicUsize::new(0),
            uncopied_reads: atomic::AtomicU32::new(0),
            copies: OnceLock::new(),
        }
    }

    /// Returns the original, the same for every thread.
    pub(super) fn original(&self) -> &T {
        &self.original
    }

    /// Returns what the calling thread reads.
    #[inline(always)]
    pub(super) fn mine(&self) -> Mine<'_, T> {
        let me = thread_number();
        if self.first_reader.load(Acquire) == me {
            return Mine::Original;
        }
        if let Some(copies) = self.copies.get()
            && let Some(copy) = copies[me % NUMBERS].get()
        {
            return Mine::Copy(copy);
        }
        self.make_copy(me)
    }

    /// Returns the calling thread's copy, or the original.
    #[inline(always)]
    pub(super) fn get(&self) -> &T {
        match self.mine() {
            Mine::Original => &self.original,
            Mine::Copy(copy) => copy,
        }
    }

    #[cold]
    fn make_copy(&self, me: usize) -> Mine<'_, T> {
        let claimed = self.first_reader.compare_exchange(0, me, Release, Relaxed);
        if claimed.is_ok() || self.uncopied_reads.fetch_add(1, Relaxed) < COPIED_AFTER {
            return Mine::Original;
        }
        // the count does not overflow: a thread without a copy makes one here
        let copies = self
            .copies
            .get_or_init(|| Box::new([const { OnceLock::new() }; NUMBERS]));
        Mine::Copy(copies[me % NUMBERS].get_or_init(|| self.original.duplicate()))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Barrier, thread, time::Duration};

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
        let mine = token.get();
        assert_eq!(mine.secret(), "abc");
        mine.secret().as_ptr().addr()
    }

    /// Returns the address of the thread's copy, after the reads that make no copy.
    fn settled_address(token: &PerThread<AccessToken>) -> usize {
        for _ in 0..=COPIED_AFTER {
            token.get();
        }
        address(token)
    }

    #[test]
    fn the_first_thread_reads_the_original_and_no_copy_is_made() {
        let token = per_thread();
        assert_eq!(
            settled_address(&token),
            token.original.secret().as_ptr().addr()
        );
        assert!(token.copies.get().is_none());
    }

    #[test]
    fn another_thread_has_another_copy_if_it_reads_the_token_often() {
        let token = per_thread();
        let mine = address(&token);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                for _ in 0..COPIED_AFTER {
                    assert_eq!(address(&token), mine, "not worth a copy yet");
                }
                let theirs = address(&token);
                assert_ne!(mine, theirs);
                assert_eq!(theirs, address(&token));
            });
            other.join().unwrap();
        });
        assert_eq!(mine, address(&token));
    }

    #[test]
    fn threads_with_different_numbers_share_no_copy() {
        let (token, together) = (per_thread(), Barrier::new(8));
        let all: Vec<_> = thread::scope(|scope| {
            let run = || {
                together.wait();
                let mine = (thread_number(), settled_address(&token));
                together.wait();
                mine
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let numbers: HashSet<_> = all.iter().map(|(number, _)| number).collect();
        let addresses: HashSet<_> = all.iter().map(|(_, address)| address).collect();
        assert_eq!(addresses.len(), numbers.len());
        assert!(numbers.len() > 1);
    }

    #[test]
    fn threads_that_follow_one_another_make_no_further_copies() {
        let token = per_thread();
        let mut all: Vec<_> = (0..4 * NUMBERS)
            .map(|_| thread::scope(|s| s.spawn(|| settled_address(&token)).join().unwrap()))
            .collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() < NUMBERS / 2, "{}", all.len());
    }
}
