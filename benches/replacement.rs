//! The 99.9th percentile of reads while the token is replaced repeatedly.
//!
//! 1,000 tasks on two workers read, and time each read, while the token is replaced 100 times. The
//! time that criterion receives is the 99.9th percentile of a round. The floor is an arc-swap load,
//! one reading of a coarse clock, and the clone of a header that no other thread clones; a task
//! replaces the loaded value as often.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use auth_core::{Error, TokenCache, TokenRequest, TokenResponse, TokenSource};
use bench_support::floor::Entry;
use bench_support::interleaved::{Interleaved, Iterations, print_table};
use bench_support::moved_clock::MovedClock;
use bench_support::threads::runtime;
use criterion::{Criterion, criterion_group, criterion_main};
use http::HeaderValue;
use tokio::task::yield_now;

const WORKERS: usize = 2;
const ROUNDS: usize = 30;
const TASKS: usize = 1_000;
const REPLACEMENTS: u64 = 100;
/// The number of reads between two yields of a task.
const READS: usize = 10;
/// Every task reads several times between two replacements. Fewer than one in a thousand reads then
/// meet a replacement. With tokens that live for minutes they are much rarer.
const TURNS: usize = 3;

/// Returns the 99.9th percentile of `read` while `replace` starts one replacement after the other.
/// `replaced` returns the number of finished replacements.
fn p99_9<T: 'static>(
    read: impl Fn() -> T + Clone + Send + 'static,
    replace: impl Fn() + Send + 'static,
    replaced: impl Fn() -> u64 + Send + 'static,
) -> Duration {
    runtime(WORKERS).block_on(async {
        let over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..TASKS)
            .map(|_| tokio::spawn(read_until(Arc::clone(&over), read.clone())))
            .collect();
        // in a worker thread, as the readers
        let replacing = tokio::spawn(async move {
            for _ in 0..REPLACEMENTS {
                for _ in 0..TURNS {
                    yield_now().await;
                }
                let before = replaced();
                replace();
                while replaced() == before {
                    yield_now().await;
                }
            }
        });
        replacing.await.unwrap();
        over.store(true, SeqCst);
        let mut times = Vec::new();
        for reader in readers {
            times.append(&mut reader.await.unwrap());
        }
        let rank = times.len() / 1_000 * 999;
        let (_, time, _) = times.select_nth_unstable(rank);
        Duration::from_nanos((*time).into())
    })
}

/// The duration of each read, in nanoseconds.
async fn read_until<T>(over: Arc<AtomicBool>, read: impl Fn() -> T) -> Vec<u32> {
    let mut times = Vec::new();
    while !over.load(Relaxed) {
        for _ in 0..READS {
            let started = Instant::now();
            black_box(read());
            let took = started.elapsed().as_nanos();
            times.push(u32::try_from(took).unwrap_or(u32::MAX));
        }
        yield_now().await;
    }
    times
}

fn floor_p99_9() -> Duration {
    thread_local!(static MINE: HeaderValue = bench_support::header());
    let slot = Arc::new(ArcSwap::from_pointee(Entry::new()));
    let replaced = Arc::new(AtomicU64::new(0));
    let (read_slot, count) = (Arc::clone(&slot), Arc::clone(&replaced));
    p99_9(
        move || {
            let entry = read_slot.load();
            entry.check();
            MINE.with(HeaderValue::clone)
        },
        move || {
            let (slot, replaced) = (Arc::clone(&slot), Arc::clone(&replaced));
            tokio::spawn(async move {
                slot.store(Arc::new(Entry::new()));
                replaced.fetch_add(1, SeqCst);
            });
        },
        move || count.load(SeqCst),
    )
}

/// Issues a token at once, and counts.
#[derive(Debug)]
struct Counting(Arc<AtomicU64>);

#[async_trait]
impl TokenSource for Counting {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch_add(1, SeqCst);
        bench_support::Instantly.fetch(request).await
    }
}

fn auth_core_p99_9() -> Duration {
    let clock = MovedClock::default();
    let issued = Arc::new(AtomicU64::new(0));
    let source = Counting(Arc::clone(&issued));
    let tokens = TokenCache::builder(source).clock(clock.clone()).build();
    bench_support::fill(&tokens);
    let (read, status) = (tokens.clone(), tokens);
    let time = p99_9(
        move || read.cached().expect("a usable token"),
        // of the hour that it lives: stale, and not expired yet
        move || clock.advance(Duration::from_secs(3_100)),
        move || status.status().tokens_received,
    );
    assert!(
        issued.load(SeqCst) > REPLACEMENTS,
        "the first token came before the replacements"
    );
    time
}

fn read_while_replaced(c: &mut Criterion) {
    let mut rounds = Interleaved::new("read_while_replaced", ROUNDS);
    let once = Iterations::of(1).on(WORKERS);
    rounds.function("floor_p99_9", once, |_| floor_p99_9());
    rounds.function("auth_core_p99_9", once, |_| auth_core_p99_9());
    rounds.figure("auth_core_p99_9 over the floor's", |round| {
        round.time("auth_core_p99_9") / round.time("floor_p99_9")
    });
    let mut group = c.benchmark_group("read_while_replaced");
    rounds.run(&mut group);
    group.finish();
    print_table("read_while_replaced");
}

criterion_group!(benches, read_while_replaced);
criterion_main!(benches);
