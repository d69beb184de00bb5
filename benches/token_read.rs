//! The time of one read of the cached token, with 1, 2 and 8 reading threads.
//!
//! Each round creates the caches anew. The address of an allocation decides which values share a cache
//! line, so a single cache could be measured a hundred times with a fortunate address. The rounds therefore
//! also show how much caches differ. The time is that of one thread.
//!
//! `floor_in_place` is the least that a read can take: there the header is cloned into the memory that the
//! caller provides. As `floor` is written, the compiler moves the header right after it was cloned; the
//! processor waits for that as long as for the rest of the read.
//!
//! Further functions keep one cache and its threads for all rounds, or read in tasks that move between the
//! workers of a runtime. `benches/outside` is a program with the same reads outside the workspace.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    cell::OnceCell,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use bench_support::interleaved::{Interleaved, Iterations, print_table};
use bench_support::threads::{LongLived, runtime};
use bench_support::{
    outside::Outside,
    reads::{self, read_cached, read_floor, slot},
    ready_cache,
};
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use http::HeaderValue;
use tokio::{
    sync::Barrier,
    task::{JoinSet, yield_now},
};

const GROUP: &str = "token_read";
/// The threads that have a processor each, on a machine with two.
const FEW: [usize; 2] = [1, 2];
const MANY: usize = 8;
/// Each round reads a fresh cache. The 99th percentile needs a hundred.
const ROUNDS: usize = 100;
const ROUNDS_OF_MANY: usize = 40;
/// More than the 40 that a worst needs, because some do not count.
const ROUNDS_OUTSIDE: usize = 50;
const BATCH: Duration = Duration::from_millis(40);
/// For code that is measured only to compare with it.
const SHORT_BATCH: Duration = Duration::from_millis(20);

/// A name, the function that measures a number of reads on each of several threads, and the time of a
/// batch.
type Read = (&'static str, fn(usize, u64) -> Duration, Duration);

const READS: [Read; 6] = [
    ("floor", reads::floor, BATCH),
    ("floor_in_place", reads::floor_in_place, BATCH),
    ("auth_core_cached", reads::auth_core_cached, BATCH),
    ("auth_core_token_await", reads::auth_core_token_await, BATCH),
    ("shared_header", reads::shared_header, SHORT_BATCH),
    ("rwlock", reads::rwlock, SHORT_BATCH),
];

fn add_reads(rounds: &mut Interleaved<'_>, threads: usize) {
    for (name, read, batch) in READS {
        let reads = Iterations::lasting(batch).on(threads);
        rounds.function(format!("{name}/{threads}"), reads, move |reads| {
            read(threads, reads)
        });
    }
    for (name, ..) in READS.into_iter().skip(1) {
        over_the_floor(rounds, "", name, threads);
    }
}

fn over_the_floor(
    rounds: &mut Interleaved<'_>,
    prefix: &'static str,
    name: &'static str,
    threads: usize,
) {
    rounds.figure(
        format!("{prefix}{name}/{threads} over the floor"),
        move |round| {
            round.time(&format!("{prefix}{name}/{threads}"))
                / round.time(&format!("{prefix}floor/{threads}"))
        },
    );
}

/// Fresh caches, read by few threads.
fn fresh(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut rounds = Interleaved::new(GROUP, ROUNDS);
    for threads in FEW {
        add_reads(&mut rounds, threads);
    }
    rounds.figure(
        "auth_core_cached/2 over /1, over the floor's own",
        |round| {
            let slower = |name| round.time(&format!("{name}/2")) / round.time(&format!("{name}/1"));
            slower("auth_core_cached") / slower("floor")
        },
    );
    rounds.known_contention("rwlock/2 over rwlock/1", |round| {
        round.time("rwlock/2") / round.time("rwlock/1")
    });
    rounds.run(group);
}

/// Fresh caches, read by more threads than most machines of this size have processors.
fn fresh_by_many(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut rounds = Interleaved::new(GROUP, ROUNDS_OF_MANY);
    add_reads(&mut rounds, MANY);
    rounds.run(group);
}

/// One cache, read by the same threads for seconds. Each round is a window of that time.
fn long_lived(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut rounds = Interleaved::new(GROUP, ROUNDS);
    for threads in FEW {
        let reads = Iterations::lasting(BATCH).on(threads);
        let readers = OnceCell::new();
        let start = move || {
            let slot = slot();
            LongLived::new(threads, move |_| read_floor(&slot))
        };
        rounds.function(format!("long_lived_floor/{threads}"), reads, move |reads| {
            readers.get_or_init(start).batch(reads)
        });
        let readers = OnceCell::new();
        let start = move || {
            let tokens = ready_cache();
            LongLived::new(threads, move |_| read_cached(&tokens))
        };
        rounds.function(
            format!("long_lived_auth_core_cached/{threads}"),
            reads,
            move |reads| readers.get_or_init(start).batch(reads),
        );
        over_the_floor(&mut rounds, "long_lived_", "auth_core_cached", threads);
    }
    rounds.run(group);
}

const WORKERS: usize = 2;
/// One more than a worker for each, so that a worker has to take tasks from the other.
const TASKS: usize = 2 * WORKERS + 1;
/// The reads of a task before it yields. They take some ten microseconds.
const READS_OF_A_TURN: u64 = 500;
/// After this many turns a task waits for the others. The last of them wakes all others at the worker on
/// which it runs, and the other worker takes some of them.
const TURNS: u64 = 8;

/// How often tasks went on at another worker than before.
static MOVES: AtomicUsize = AtomicUsize::new(0);

/// Returns the time of a task in which it reads, as the average of all tasks.
fn in_tasks<T: 'static>(reads: u64, read: impl FnMut() -> T + Clone + Send + 'static) -> Duration {
    let total: Duration = runtime(WORKERS).block_on(async {
        let barrier = Arc::new(Barrier::new(TASKS));
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(in_turns(reads, read.clone(), Arc::clone(&barrier)));
        }
        tasks.join_all().await.into_iter().sum()
    });
    total / u32::try_from(TASKS).unwrap()
}

async fn in_turns<T>(reads: u64, mut read: impl FnMut() -> T, barrier: Arc<Barrier>) -> Duration {
    // the first turns, in which each worker makes its copy, do not count
    let (mut total, mut counted, mut turn) = (Duration::ZERO, 0, 0);
    while counted < reads {
        let worker = thread::current().id();
        if turn % TURNS == 0 {
            barrier.wait().await;
        } else {
            yield_now().await;
        }
        if thread::current().id() != worker {
            MOVES.fetch_add(1, Relaxed);
        }
        turn += 1;
        let now = READS_OF_A_TURN.min(reads - counted);
        let started = Instant::now();
        for _ in 0..now {
            black_box(&read());
        }
        let took = started.elapsed();
        if turn > TURNS || reads < READS_OF_A_TURN * TURNS {
            total += took;
            counted += now;
        }
    }
    total
}

fn in_tokio(group: &mut BenchmarkGroup<'_, WallTime>) {
    thread_local!(static MINE: HeaderValue = bench_support::header());
    let mut rounds = Interleaved::new(GROUP, ROUNDS_OF_MANY);
    let reads = Iterations::lasting(BATCH).on(WORKERS);
    rounds.function(format!("tokio_floor/{WORKERS}"), reads, |reads| {
        let slot = slot();
        in_tasks(reads, move || {
            let entry = slot.load();
            entry.check();
            MINE.with(HeaderValue::clone)
        })
    });
    rounds.function(
        format!("tokio_auth_core_cached/{WORKERS}"),
        reads,
        |reads| {
            let tokens = ready_cache();
            in_tasks(reads, move || tokens.cached())
        },
    );
    over_the_floor(&mut rounds, "tokio_", "auth_core_cached", WORKERS);
    rounds.run(group);
    println!(
        "{GROUP}: the tasks moved to another worker {} times",
        MOVES.load(Relaxed)
    );
}

/// A program outside the workspace, with fresh caches, built as a user's program is.
fn outside(group: &mut BenchmarkGroup<'_, WallTime>) {
    let program = Outside::default();
    let mut rounds = Interleaved::new(GROUP, ROUNDS_OUTSIDE);
    for threads in FEW {
        for name in ["floor", "floor_in_place", "auth_core_cached"] {
            let reads = Iterations::lasting(BATCH).on(threads);
            let program = &program;
            rounds.function(format!("outside_{name}/{threads}"), reads, move |reads| {
                program.read(name, threads, reads)
            });
        }
        over_the_floor(&mut rounds, "outside_", "floor_in_place", threads);
        over_the_floor(&mut rounds, "outside_", "auth_core_cached", threads);
    }
    rounds.run(group);
}

fn token_read(c: &mut Criterion) {
    let mut group = c.benchmark_group(GROUP);
    fresh(&mut group);
    fresh_by_many(&mut group);
    long_lived(&mut group);
    in_tokio(&mut group);
    outside(&mut group);
    group.finish();
    print_table(GROUP);
}

criterion_group!(benches, token_read);
criterion_main!(benches);
