//! What one read of a cached token costs when there are 1, 1,000 and 100,000 of them, read in an
//! order that no processor foresees.

// a bench that cannot be set up has nothing better to do
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
use bench_support::interleaved::Interleaved;
use bench_support::{Instantly, floor::Entry, token};
use criterion::{Criterion, criterion_group, criterion_main};
use fastrand::Rng;
use tokio::runtime::Builder;

const KEYS: [usize; 3] = [1, 1_000, 100_000];
const ROUNDS: usize = 40;
/// So that each of 100,000 is read once.
const READS: u64 = 100_000;

fn request(tenant: usize) -> TokenRequest {
    let audience = format!("https://tenant-{tenant}.example.com");
    TokenRequest::builder().audience(audience).build().unwrap()
}

/// So many requests, shuffled, and the same shuffle each time.
fn shuffled(keys: usize) -> Vec<TokenRequest> {
    let mut requests: Vec<_> = (0..keys).map(request).collect();
    Rng::with_seed(1).shuffle(&mut requests);
    requests
}

/// A key brings its hash along, here as there.
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

/// The least that many tokens can stand in, if none is ever added or leaves.
struct Bare(HashMap<TokenRequest, ArcSwap<Entry>, BuildHasherDefault<Taken>>);

/// Tokens that are there, to be read.
trait Tokens {
    /// Made in another order than they are read in.
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
        black_box(entry.header.clone());
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
        black_box(self.cached(request).expect("its token is there"));
    }
}

/// Tokens, and the order in which they are read.
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

/// A round's walk. Where an allocation happens to lie matters for a few, and those are made anew in
/// each round; among 100,000 it evens out, and making those takes seconds.
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

/// What a key takes, with all that is kept for it.
fn print_bytes_per_key(keys: usize) {
    let mut tokens = None;
    let held = measure(|| tokens = Some(TokenCaches::of(shuffled(keys)))).bytes_current;
    let each = f64::from(i32::try_from(held).unwrap()) / f64::from(u32::try_from(keys).unwrap());
    let header = "Bearer ".len() + token().len();
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
    // last, because a heap that was full once is not laid out like a new one
    print_bytes_per_key(100_000);
}

criterion_group!(benches, keyed);
criterion_main!(benches);
