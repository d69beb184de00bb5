//! Reads of a cached token: ours, the simplest caches, and the floor. Each function runs a number of reads
//! on each of several threads, with a cache of its own, and returns the average time of a thread.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use auth_core::{Authorization, TokenCache};
use http::HeaderValue;

use crate::{floor::Entry, ready_cache, ready_now, threads::on_threads};

pub type Slot = Arc<ArcSwap<Entry>>;

pub fn slot() -> Slot {
    Arc::new(ArcSwap::from_pointee(Entry::new()))
}

/// An arc-swap load, one reading of the clock, and the clone of a header that no other thread clones.
pub fn read_floor(slot: &Slot) -> impl FnMut() -> HeaderValue + use<> {
    let slot = Arc::clone(slot);
    let mine = crate::header();
    move || {
        let entry = slot.load();
        entry.check();
        mine.clone()
    }
}

/// The same, with the header cloned into the memory that the caller provides.
fn read_floor_in_place(slot: &Slot) -> impl FnMut() -> HeaderValue + use<> {
    let slot = Arc::clone(slot);
    let mine = crate::header();
    move || loaded(&slot, &mine)
}

#[inline(never)]
fn loaded(slot: &Slot, mine: &HeaderValue) -> HeaderValue {
    let entry = slot.load();
    checked(&entry, mine)
}

#[inline(never)]
fn checked(entry: &Entry, mine: &HeaderValue) -> HeaderValue {
    entry.check();
    mine.clone()
}

pub fn read_cached(tokens: &TokenCache) -> impl FnMut() -> Option<Authorization> + use<> {
    let tokens = tokens.clone();
    move || tokens.cached()
}

pub fn floor(threads: usize, reads: u64) -> Duration {
    let slot = slot();
    on_threads(threads, reads, |_| read_floor(&slot))
}

pub fn floor_in_place(threads: usize, reads: u64) -> Duration {
    let slot = slot();
    on_threads(threads, reads, |_| read_floor_in_place(&slot))
}

pub fn auth_core_cached(threads: usize, reads: u64) -> Duration {
    let tokens = ready_cache();
    on_threads(threads, reads, |_| read_cached(&tokens))
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
