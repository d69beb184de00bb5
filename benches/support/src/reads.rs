//! Reads of a cached token, ours and the simplest ones, and the floor.
//!
//! Each function runs a number of reads on each of some threads, with a cache of its own, and returns
//! the average time of a thread. The address of an allocation decides which values share a cache line,
//! so that one cache could be measured a hundred times with a fortunate address.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use auth_core::TokenCache;
use http::HeaderValue;

use crate::{floor::Entry, ready_cache, ready_now, threads::on_threads};

/// A name, and the function that measures a number of reads on each of several threads.
pub type Read = (&'static str, fn(usize, u64) -> Duration);

pub const READS: [Read; 6] = [
    ("floor", floor),
    ("floor_in_place", floor_in_place),
    ("auth_core_cached", auth_core_cached),
    ("auth_core_token_await", auth_core_token_await),
    ("shared_header", shared_header),
    ("rwlock", rwlock),
];

/// An arc-swap load, one reading of the clock, and the clone of a header that no other thread clones.
pub fn floor(threads: usize, reads: u64) -> Duration {
    let slot = slot();
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        let mine = crate::header();
        move || {
            let entry = slot.load();
            entry.check();
            mine.clone()
        }
    })
}

/// The same, with the header cloned into the memory that the caller provides. A header that is moved
/// right after it was cloned is read in wider pieces than it was written, and the processor waits.
pub fn floor_in_place(threads: usize, reads: u64) -> Duration {
    let slot = slot();
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        let mine = crate::header();
        move || loaded(&slot, &mine)
    })
}

#[inline(never)]
fn loaded(slot: &ArcSwap<Entry>, mine: &HeaderValue) -> HeaderValue {
    let entry = slot.load();
    checked(&entry, mine)
}

#[inline(never)]
fn checked(entry: &Entry, mine: &HeaderValue) -> HeaderValue {
    entry.check();
    mine.clone()
}

pub fn auth_core_cached(threads: usize, reads: u64) -> Duration {
    cached(&ready_cache(), threads, reads)
}

/// The same with a cache that has been read before.
pub fn cached(tokens: &TokenCache, threads: usize, reads: u64) -> Duration {
    on_threads(threads, reads, |_| {
        let tokens = tokens.clone();
        move || tokens.cached()
    })
}

pub fn auth_core_token_await(threads: usize, reads: u64) -> Duration {
    let tokens = ready_cache();
    on_threads(threads, reads, |_| {
        let tokens = tokens.clone();
        move || ready_now(tokens.token())
    })
}

/// The simplest cache: all threads clone the same header.
pub fn shared_header(threads: usize, reads: u64) -> Duration {
    let slot = slot();
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        move || {
            let entry = slot.load();
            entry.check();
            entry.header.clone()
        }
    })
}

/// The cache that people write by hand.
pub fn rwlock(threads: usize, reads: u64) -> Duration {
    let slot = Arc::new(RwLock::new(Entry::new()));
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        move || {
            let entry = slot.read().unwrap();
            entry.check();
            entry.header.clone()
        }
    })
}

fn slot() -> Arc<ArcSwap<Entry>> {
    Arc::new(ArcSwap::from_pointee(Entry::new()))
}
