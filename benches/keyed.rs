//! The time of one read of a cached token among 1, 1,000 and 100,000 tokens, in an order that the
//! processor cannot predict.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    cell::OnceCell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
    time::{Duration, Instant},
};

use allocation_counter::measure;
use arc_swap::ArcSwap;
use auth_core::{TokenCache, TokenCaches, TokenRequest};
use bench_support::interleaved::{Interleaved, print_table, record_count};
use bench_support::{Instantly, floor::Entry, token};
use criterion::{Criterion, criterion_group, criterion_main};
use fastrand::Rng;
use tokio::runtime::Builder;

const KEYS: [usize; 3] = [1, 1_000, 100_000];
const ROUNDS: usize = 40;
/// A batch takes ten milliseconds or more, and reads each of 100,000 tokens several times.
const READS: u64 = 500_000;

fn request(tenant: usize) -> TokenRequest {
    let audience = format!("https://tenant-{tenant}.example.com");
    TokenRequest::builder().audience(audience).build().unwrap()
}

/// Returns `keys` token requests, shuffled in the same way each time.
fn shuffled(keys: usize) -> Vec<TokenRequest> {
    let mut requests: Vec<_> = (0..keys).map(request).collect();
    Rng::with_seed(1).shuffle(&mut requests);
    requests
}

/// Uses the hash that the key contains, as `TokenCaches` does.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        panic!("expected a hash");
    }
}

/// The floor: a map to which no token is added, and from which none is removed.
struct Bare(HashMap<TokenRequest, ArcSwap<Entry>, BuildHasherDefault<Taken>>);

/// Tokens to read.
trait Tokens {
    /// Creates the tokens in another order than the order of the reads.
    fn of(requests: Vec<TokenRequest>) -> Self;

    fn read(&self, request: &TokenRequest);
}

impl Tokens for Bare {
    fn of(requests: Vec<TokenRequest>) -> Self {
        let entries = requests.into_iter();
        Self(
            entries
                .map(|key| (key, ArcSwap::from_pointee(Entry::new())))
                .collect(),
        )
    }

    #[inline]
    fn read(&self, request: &TokenRequest) {
        let entry = self.0[request].load();
        entry.check();
        black_box(&entry.header.clone());
    }
}

impl Tokens for TokenCaches {
    fn of(requests: Vec<TokenRequest>) -> Self {
        let builder = Self::builder(TokenCache::new(Instantly));
        let tokens = builder.max_capacity(1_000_000).build().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for request in &requests {
                tokens.cache(request).token().await.unwrap();
            }
        });
        tokens
    }

    #[inline]
    fn read(&self, request: &TokenRequest) {
        let found = self.cached(request);
        assert!(black_box(&found).is_some());
    }
}

/// Tokens, and the order of the reads.
struct Walk<T> {
    tokens: T,
    order: Vec<TokenRequest>,
}

impl<T: Tokens> Walk<T> {
    fn new(keys: usize) -> Self {
        let order = shuffled(keys);
        let mut requests = order.clone();
        requests.sort_unstable();
        let tokens = T::of(requests);
        let walk = Self { tokens, order };
        walk.times(READS);
        walk
    }

    fn times(&self, reads: u64) -> Duration {
        let started = Instant::now();
        let reads = usize::try_from(reads).unwrap();
        for request in self.order.iter().cycle().take(reads) {
            self.tokens.read(request);
        }
        started.elapsed()
    }
}

/// The reads of one round. The addresses of the allocations matter for a few tokens, so these are
/// created anew in each round. Among 100,000 tokens the addresses average out, and creating them takes
/// seconds.
fn walks<T: Tokens>(keys: usize) -> impl FnMut(u64) -> Duration {
    let kept = OnceCell::new();
    move |reads| {
        if keys < 100_000 {
            Walk::<T>::new(keys).times(reads)
        } else {
            kept.get_or_init(|| Walk::<T>::new(keys)).times(reads)
        }
    }
}

/// Counts the memory of a key, with everything that is kept for it.
fn count_bytes_per_key(keys: usize) {
    let mut tokens = None;
    let held = measure(|| tokens = Some(TokenCaches::of(shuffled(keys)))).bytes_current;
    let each = f64::from(i32::try_from(held).unwrap()) / f64::from(u32::try_from(keys).unwrap());
    let header = "Bearer ".len() + token().len();
    record_count("keyed", "bytes_per_key", each);
    println!("keyed: {each:.0} bytes per key, of which its header is {header}");
}

fn keyed(c: &mut Criterion) {
    let mut rounds = Interleaved::new("keyed", ROUNDS);
    for keys in KEYS {
        rounds.function(format!("bare/{keys}"), READS, walks::<Bare>(keys));
        rounds.function(
            format!("auth_core/{keys}"),
            READS,
            walks::<TokenCaches>(keys),
        );
        rounds.figure(format!("auth_core/{keys} over bare"), move |round| {
            round.time(&format!("auth_core/{keys}")) / round.time(&format!("bare/{keys}"))
        });
    }
    let mut group = c.benchmark_group("keyed");
    rounds.run(&mut group);
    group.finish();
    // last, because a heap that was full once places allocations differently
    count_bytes_per_key(100_000);
    print_table("keyed");
}

criterion_group!(benches, keyed);
criterion_main!(benches);
