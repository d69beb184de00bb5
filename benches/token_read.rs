//! What one read of the cached token costs, with 1, 2 and 8 threads reading.
//!
//! Each sample builds what it measures anew: where an allocation happens to lie decides about cache
//! lines, and one lucky cache would be measured a hundred times. The time is what each thread sees.

// a bench that cannot be set up has nothing better to do
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;
#[path = "support/threads.rs"]
mod threads;

use std::{
    hint::black_box,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};
use support::ready_cache;
use threads::on_threads;

const THREADS: [usize; 3] = [1, 2, 8];

/// A header and when it is over.
struct Entry {
    header: HeaderValue,
    spent_at: i64,
}

impl Entry {
    fn new() -> Self {
        Self {
            header: support::header(),
            spent_at: coarse_seconds() + 3600,
        }
    }
}

fn coarse_seconds() -> i64 {
    clock_gettime(ClockId::MonotonicCoarse).tv_sec
}

fn token_read(c: &mut Criterion) {
    let mut group = c.benchmark_group("token_read");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(60);
    for threads in THREADS {
        // a load, one clock, and the clone of a header that no other thread clones
        group.bench_function(BenchmarkId::new("floor", threads), |b| {
            b.iter_custom(|reads| {
                let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
                on_threads(threads, reads, |_| {
                    let slot = Arc::clone(&slot);
                    let mine = support::header();
                    move || {
                        let entry = slot.load();
                        assert!(coarse_seconds() < entry.spent_at);
                        black_box(mine.clone())
                    }
                })
            });
        });
        group.bench_function(BenchmarkId::new("auth_core_cached", threads), |b| {
            b.iter_custom(|reads| {
                let tokens = ready_cache();
                on_threads(threads, reads, |_| {
                    let tokens = tokens.clone();
                    move || black_box(tokens.cached())
                })
            });
        });
        group.bench_function(BenchmarkId::new("auth_core_token_await", threads), |b| {
            b.iter_custom(|reads| {
                let tokens = ready_cache();
                on_threads(threads, reads, |_| {
                    let tokens = tokens.clone();
                    move || black_box(support::ready_now(tokens.token()))
                })
            });
        });
        // what everybody writes first: one header for all
        group.bench_function(BenchmarkId::new("shared_header", threads), |b| {
            b.iter_custom(|reads| {
                let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
                on_threads(threads, reads, |_| {
                    let slot = Arc::clone(&slot);
                    move || {
                        let entry = slot.load();
                        assert!(coarse_seconds() < entry.spent_at);
                        black_box(entry.header.clone())
                    }
                })
            });
        });
        group.bench_function(BenchmarkId::new("rwlock", threads), |b| {
            b.iter_custom(|reads| {
                let slot = Arc::new(RwLock::new(Entry::new()));
                on_threads(threads, reads, |_| {
                    let slot = Arc::clone(&slot);
                    move || {
                        let entry = slot.read().unwrap();
                        assert!(coarse_seconds() < entry.spent_at);
                        black_box(entry.header.clone())
                    }
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, token_read);
criterion_main!(benches);
