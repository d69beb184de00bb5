//! The time of one read of the cached token, with 1, 2 and 8 reading threads.
//!
//! Each round creates the caches anew, so that a mode that some caches are in shows in the worst rounds.
//! The time is that of one thread. With 8 threads there are usually more threads than processors.
//!
//! Beside the reads of new caches: a cache that is read for the whole run, tasks that migrate between
//! the two workers of a tokio runtime, and a program outside the workspace, built as a user's program is.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    cell::RefCell,
    hint::black_box,
    time::{Duration, Instant},
};

use bench_support::{
    interleaved::Interleaved,
    outside::Outside,
    processors::{pin, processors},
    reads::{READS, cached},
    ready_cache,
};
use criterion::{Criterion, criterion_group, criterion_main};
use http::HeaderValue;
use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinSet, yield_now},
};

const THREADS: [usize; 3] = [1, 2, 8];
const ROUNDS: usize = 100;
/// A batch takes about 10 ms, several time slices.
const TIMES: u64 = 500_000;
/// The reads that run inside the program outside the workspace.
const OUTSIDE: [&str; 3] = ["floor", "floor_in_place", "auth_core_cached"];

const TASKS: usize = 8;
/// The number of reads between two yields of a task, after which it may migrate to the other worker.
const BURST: u64 = 500;

/// A runtime whose two workers are pinned to a processor each.
fn two_workers() -> Runtime {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    let started = AtomicUsize::new(0);
    Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || {
            if let Some(&one) = processors().get(started.fetch_add(1, Relaxed)) {
                pin(one);
            }
        })
        .build()
        .unwrap()
}

/// Returns the time of a worker for `reads` reads, in tasks that migrate.
fn migrating<T>(reads: u64, read: impl Fn() -> T + Clone + Send + 'static) -> Duration {
    two_workers().block_on(async {
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        for _ in 0..TASKS {
            let read = read.clone();
            tasks.spawn(async move {
                for _ in 0..reads / BURST / TASKS as u64 {
                    for _ in 0..BURST {
                        black_box(&read());
                    }
                    yield_now().await;
                }
            });
        }
        tasks.join_all().await;
        // two workers read at the same time
        started.elapsed() * 2
    })
}

fn floor_migrating(reads: u64) -> Duration {
    use arc_swap::ArcSwap;
    use bench_support::floor::Entry;
    use std::sync::Arc;
    thread_local!(static MINE: HeaderValue = bench_support::header());
    let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
    migrating(reads, move || {
        let entry = slot.load();
        entry.check();
        MINE.with(HeaderValue::clone)
    })
}

fn auth_core_migrating(reads: u64) -> Duration {
    let tokens = ready_cache();
    migrating(reads, move || tokens.cached())
}

/// Adds the ratios to the floor of the reads with this prefix.
fn over_the_floor(rounds: &mut Interleaved<'_>, prefix: &'static str, threads: usize) {
    for (name, _) in READS.into_iter().skip(1) {
        if !prefix.is_empty() && !OUTSIDE.contains(&name) {
            continue;
        }
        rounds.figure(
            format!("{prefix}{name}/{threads} over the floor"),
            move |round| {
                let time = |name| round.time(&format!("{prefix}{name}/{threads}"));
                time(name) / time("floor")
            },
        );
    }
}

fn token_read(c: &mut Criterion) {
    let outside = RefCell::new(Outside::default());
    let mut rounds = Interleaved::new("token_read", ROUNDS);
    rounds.threads(2);
    for threads in THREADS {
        for (name, read) in READS {
            let id = format!("{name}/{threads}");
            rounds.function(id, TIMES, move |reads| read(threads, reads));
        }
        over_the_floor(&mut rounds, "", threads);
    }
    let long_lived = ready_cache();
    rounds.function("auth_core_long_lived/1", TIMES, move |reads| {
        cached(&long_lived, 1, reads)
    });
    rounds.function("floor_migrating/2", TIMES, floor_migrating);
    rounds.function("auth_core_migrating/2", TIMES, auth_core_migrating);
    for threads in [1, 2] {
        for name in OUTSIDE {
            let outside = &outside;
            rounds.function(format!("outside_{name}/{threads}"), TIMES, move |reads| {
                outside.borrow_mut().read(name, threads, reads)
            });
        }
        over_the_floor(&mut rounds, "outside_", threads);
    }
    rounds.figure("auth_core_long_lived/1 over the floor", |round| {
        round.time("auth_core_long_lived/1") / round.time("floor/1")
    });
    rounds.figure("auth_core_migrating/2 over floor_migrating", |round| {
        round.time("auth_core_migrating/2") / round.time("floor_migrating/2")
    });
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
