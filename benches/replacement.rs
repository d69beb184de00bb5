//! The slow reads: what one in a thousand costs while the token is replaced again and again.
//!
//! 1,000 tasks on two workers read, and time each read, while the token is replaced 100 times. What
//! criterion is told as a time is the 99.9th percentile of a round. The floor is a load, one coarse
//! clock and the clone of a header that no other thread clones, while what it loads is replaced as
//! often, by a task of its own as well.

// a bench that cannot be set up has nothing better to do
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
use bench_support::interleaved::Interleaved;
use bench_support::moved_clock::MovedClock;
use criterion::{Criterion, criterion_group, criterion_main};
use http::HeaderValue;
use tokio::{runtime::Builder, task::yield_now};

const ROUNDS: usize = 30;
const TASKS: usize = 1_000;
const REPLACEMENTS: u64 = 100;
/// Between two yields of a task.
const READS: usize = 10;
/// Between two replacements every task reads several times: the reads that meet a replacement are
/// then rarer than one in a thousand, as they would be, by far, with tokens that live for minutes.
const TURNS: usize = 3;

/// The 99.9th percentile of `read` while `replace` starts one replacement after the other;
/// `replaced` counts those that are over.
fn p99_9<T: 'static>(
    read: impl Fn() -> T + Clone + Send + 'static,
    replace: impl Fn() + Send + 'static,
    replaced: impl Fn() -> u64 + Send + 'static,
) -> Duration {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..TASKS)
            .map(|_| tokio::spawn(read_until(Arc::clone(&over), read.clone())))
            .collect();
        // in a worker it takes its turn like the readers
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

/// How many nanoseconds each read took.
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

/// Mints at once, and counts.
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
    let minted = Arc::new(AtomicU64::new(0));
    let source = Counting(Arc::clone(&minted));
    let tokens = TokenCache::builder(source).clock(clock.clone()).build();
    bench_support::fill(&tokens);
    let (read, status) = (tokens.clone(), tokens);
    let time = p99_9(
        move || read.cached().expect("a usable token"),
        // of the hour that it lives: due, and not yet spent
        move || clock.advance(Duration::from_secs(3_100)),
        move || status.status().tokens_received,
    );
    assert!(minted.load(SeqCst) > REPLACEMENTS, "one came before");
    time
}

fn read_while_replaced(c: &mut Criterion) {
    let mut rounds = Interleaved::new("read_while_replaced", ROUNDS);
    rounds.function("floor_p99_9", 1, |_| floor_p99_9());
    rounds.function("auth_core_p99_9", 1, |_| auth_core_p99_9());
    rounds.figure("auth_core_p99_9 over the floor's", |round| {
        round.time("auth_core_p99_9") / round.time("floor_p99_9")
    });
    let mut group = c.benchmark_group("read_while_replaced");
    rounds.run(&mut group);
    group.finish();
}

criterion_group!(benches, read_while_replaced);
criterion_main!(benches);
