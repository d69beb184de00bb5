//! The time of one read of the cached token, with 1, 2 and 8 reading threads.
//!
//! Each round creates the caches anew. The address of an allocation decides which values share a cache
//! line, so a single cache could be measured a hundred times with a fortunate address. The time is that
//! of one thread.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    hint::black_box,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use bench_support::interleaved::Interleaved;
use bench_support::threads::on_threads;
use bench_support::{floor::Entry, ready_cache, ready_now};
use criterion::{Criterion, criterion_group, criterion_main};

const THREADS: [usize; 3] = [1, 2, 8];
const ROUNDS: usize = 200;
/// A batch takes about a millisecond, less than a time slice, so that the system is unlikely to
/// interrupt it. At 2 threads the batches may therefore run in turn on one processor.
const READS: u64 = 50_000;

/// An arc-swap load, one reading of the clock, and the clone of a header that no other thread clones.
fn floor(threads: usize, reads: u64) -> Duration {
    let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        let mine = bench_support::header();
        move || {
            let entry = slot.load();
            entry.check();
            black_box(mine.clone())
        }
    })
}

fn auth_core_cached(threads: usize, reads: u64) -> Duration {
    let tokens = ready_cache();
    on_threads(threads, reads, |_| {
        let tokens = tokens.clone();
        move || black_box(tokens.cached())
    })
}

fn auth_core_token_await(threads: usize, reads: u64) -> Duration {
    let tokens = ready_cache();
    on_threads(threads, reads, |_| {
        let tokens = tokens.clone();
        move || black_box(ready_now(tokens.token()))
    })
}

/// The simplest cache: all threads clone the same header.
fn shared_header(threads: usize, reads: u64) -> Duration {
    let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        move || {
            let entry = slot.load();
            entry.check();
            black_box(entry.header.clone())
        }
    })
}

fn rwlock(threads: usize, reads: u64) -> Duration {
    let slot = Arc::new(RwLock::new(Entry::new()));
    on_threads(threads, reads, |_| {
        let slot = Arc::clone(&slot);
        move || {
            let entry = slot.read().unwrap();
            entry.check();
            black_box(entry.header.clone())
        }
    })
}

/// A name, and the function that measures a number of reads on each of several threads.
type Read = (&'static str, fn(usize, u64) -> Duration);

fn token_read(c: &mut Criterion) {
    let mut rounds = Interleaved::new("token_read", ROUNDS);
    let all: [Read; 5] = [
        ("floor", floor),
        ("auth_core_cached", auth_core_cached),
        ("auth_core_token_await", auth_core_token_await),
        ("shared_header", shared_header),
        ("rwlock", rwlock),
    ];
    for threads in THREADS {
        for (name, read) in all {
            rounds.function(format!("{name}/{threads}"), READS, move |reads| {
                read(threads, reads)
            });
        }
        for (name, _) in all.into_iter().skip(1) {
            rounds.figure(format!("{name}/{threads} over the floor"), move |round| {
                round.time(&format!("{name}/{threads}")) / round.time(&format!("floor/{threads}"))
            });
        }
    }
    rounds.figure(
        "auth_core_cached/2 over /1, over the floor's own",
        |round| {
            let slower = |name| round.time(&format!("{name}/2")) / round.time(&format!("{name}/1"));
            slower("auth_core_cached") / slower("floor")
        },
    );
    let mut group = c.benchmark_group("token_read");
    rounds.run(&mut group);
    group.finish();
}

criterion_group!(benches, token_read);
criterion_main!(benches);
