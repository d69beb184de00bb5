//! Several copies of one token, so that threads that read it do not get into each other's way.
//!
//! A clone of a header value writes to its reference count. If all threads clone the same one, they
//! pass its cache line around, and a read costs several times as much with two threads as with one.
//! So each thread clones a copy of its own, or nearly so: there are as many as processors.

use std::{
    sync::{
        OnceLock, atomic,
        atomic::Ordering::{Acquire, Relaxed, Release},
    },
    thread::available_parallelism,
};

use super::sync::{AtomicUsize, thread_local};
use crate::AccessToken;

/// Copies beyond this gain nothing, whatever the machine.
const MOST: usize = 64;

/// A token, and the copies of it that have been asked for.
///
/// They are made lazily, all but the first: a cache that a single thread reads holds one.
#[derive(Debug)]
pub(super) struct Copies {
    first: AccessToken,
    /// The number of the thread that has the first to itself; 0 until a thread comes.
    first_reader: AtomicUsize,
    others: OnceLock<Box<[OnceLock<AccessToken>]>>,
}

impl Copies {
    pub(super) fn new(token: AccessToken) -> Self {
        Self {
            first: token,
            first_reader: AtomicUsize::new(0),
            others: OnceLock::new(),
        }
    }

    /// Any copy: the same to everybody.
    pub(super) fn any(&self) -> &AccessToken {
        &self.first
    }

    /// The calling thread's copy.
    #[inline]
    pub(super) fn mine(&self) -> &AccessToken {
        let me = thread_number();
        if self.first_reader.load(Acquire) == me {
            return &self.first;
        }
        self.other(me)
    }

    #[inline]
    fn other(&self, me: usize) -> &AccessToken {
        if let Some(others) = self.others.get()
            && let Some(copy) = others[me % others.len()].get()
        {
            return copy;
        }
        self.make(me)
    }

    #[cold]
    fn make(&self, me: usize) -> &AccessToken {
        let claimed = self.first_reader.compare_exchange(0, me, Release, Relaxed);
        if claimed.is_ok() {
            return &self.first;
        }
        let others = self
            .others
            .get_or_init(|| (0..most_copies()).map(|_| OnceLock::new()).collect());
        others[me % others.len()].get_or_init(|| self.first.copy())
    }
}

/// As many as processors. Asking the system takes far longer than a read, so it is asked once.
fn most_copies() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let count = || available_parallelism().map_or(1, usize::from);
    (*PROCESSORS.get_or_init(count)).min(MOST)
}

/// Threads are numbered as they come, from 1.
#[inline]
fn thread_number() -> usize {
    static THREADS: atomic::AtomicUsize = atomic::AtomicUsize::new(1);
    thread_local!(static NUMBER: usize = THREADS.fetch_add(1, Relaxed));
    // without a destructor it is there until the thread's very end
    NUMBER.try_with(|number| *number).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{TokenResponse, cache::WeakTokenCache, time::Now};

    fn copies() -> Copies {
        let end = Now {
            monotonic: std::time::Duration::ZERO,
            wall: std::time::Duration::ZERO,
        };
        let response = TokenResponse::bearer("abc").unwrap();
        let asked = "".parse().unwrap();
        let token = AccessToken::new(response, 1, end, &asked, WeakTokenCache::default());
        Copies::new(token)
    }

    fn address(copies: &Copies) -> usize {
        assert_eq!(copies.mine().secret(), "abc");
        copies.mine().secret().as_ptr().addr()
    }

    #[test]
    fn the_first_thread_has_the_first_copy_and_no_other_is_made() {
        let copies = copies();
        assert_eq!(address(&copies), copies.first.secret().as_ptr().addr());
        assert_eq!(address(&copies), address(&copies));
        assert!(copies.others.get().is_none());
    }

    #[test]
    fn another_thread_has_another_copy() {
        let copies = copies();
        let mine = address(&copies);
        let (theirs, again) = thread::scope(|scope| {
            let other = scope.spawn(|| (address(&copies), address(&copies)));
            other.join().unwrap()
        });
        assert_ne!(mine, theirs);
        assert_eq!(theirs, again);
        assert_eq!(mine, address(&copies));
    }

    #[test]
    fn there_are_no_more_copies_than_processors_and_one() {
        let copies = copies();
        let mut all: Vec<_> = (0..100)
            .map(|_| thread::scope(|s| s.spawn(|| address(&copies)).join().unwrap()))
            .collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() <= most_copies() + 1, "{}", all.len());
    }
}
