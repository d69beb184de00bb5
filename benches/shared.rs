//! What a store that processes share costs: a read with it configured, and a cold start that finds
//! another's token in it, beside one that asks the authorization server.
//!
//! It takes a Redis: the one of `REDIS_URL`, or a `redis-server` on the PATH, which it starts. The
//! authorization server is on loopback as well, so a cold start is the network's round trips without
//! the network.

// a bench that cannot be set up has nothing better to do
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    env, fs,
    hint::black_box,
    process,
    time::{Duration, Instant},
};

use auth_core::{
    ClientAuthentication, ClientCredentials, TokenCache, TokenCacheBuilder, TokenRequest,
};
use auth_redis::{RedisStore, SealKeys};
use auth_reqwest::ReqwestTransport;
use auth_testing::AuthorizationServer;
use bench_support::TOKEN_LENGTH;
use bench_support::interleaved::Interleaved;
use criterion::{Criterion, criterion_group, criterion_main};
use local_redis::Redis;
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 100;
/// A millisecond or two of them.
const READS: u64 = 50_000;
/// That they are spread over.
const CACHES: u64 = 10;
const STARTS: u64 = 20;

struct Bench {
    runtime: Runtime,
    server: AuthorizationServer,
    redis: Redis,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let directory = env::temp_dir().join(format!("bench-shared-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (server, redis) = runtime.block_on(async {
            let server = AuthorizationServer::builder()
                .client("bench", "secret")
                .token_length(TOKEN_LENGTH);
            let redis = Redis::find(&directory).await.unwrap();
            (server.start().await.unwrap(), redis)
        });
        Self {
            runtime,
            server,
            redis,
        }
    }

    /// A process that has never asked for a token; each has a connection of its own.
    fn process(&self) -> TokenCacheBuilder {
        let authentication = ClientAuthentication::client_secret_basic("secret");
        let http = reqwest::Client::builder().no_proxy();
        let credentials =
            ClientCredentials::builder(self.server.token_endpoint(), "bench", authentication)
                .build(ReqwestTransport::new(http).unwrap());
        TokenCache::builder(credentials.unwrap())
    }

    fn store(&self) -> RedisStore {
        let keys = SealKeys::new([[7; 32]]).unwrap();
        let builder = RedisStore::builder(self.redis.url()).seal_keys(keys);
        builder.build().unwrap()
    }

    /// Where a cache and its token happen to lie matters for a few percent, so they are several, at
    /// random distances.
    fn read(&self, reads: u64, make: impl Fn() -> TokenCache) -> Duration {
        let mut distances = Vec::new();
        let mut all = Duration::ZERO;
        for _ in 0..CACHES {
            distances.push(vec![0_u8; fastrand::usize(1..16_384)]);
            let tokens = make();
            self.runtime.block_on(async {
                tokens.token().await.unwrap();
                // else it is saved while the reads are timed, on the processor beside them
                tokens.flush().await;
            });
            let started = Instant::now();
            for _ in 0..reads / CACHES {
                black_box(tokens.cached());
            }
            all += started.elapsed();
        }
        all
    }

    /// How long processes take, one after the other, until they have their first token: connections
    /// and all.
    fn start(&self, starts: u64, make: impl Fn() -> TokenCache) -> Duration {
        let mut all = Duration::ZERO;
        for _ in 0..starts {
            let tokens = make();
            let started = Instant::now();
            self.runtime.block_on(tokens.token()).unwrap();
            all += started.elapsed();
        }
        all
    }
}

/// A request nobody else makes, and so a token that nobody has.
fn somebody() -> TokenRequest {
    let audience = format!("{:032x}", fastrand::u128(..));
    TokenRequest::builder().audience(audience).build().unwrap()
}

fn shared(c: &mut Criterion) {
    // only because this workspace builds reqwest without a provider; it is not used
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bench = &Bench::new();
    let mut rounds = Interleaved::new("shared", ROUNDS);
    rounds.function("hit_without_store", READS, |reads| {
        bench.read(reads, || bench.process().build())
    });
    rounds.function("hit_with_store", READS, |reads| {
        bench.read(reads, || {
            bench.process().shared_store(bench.store()).build()
        })
    });
    rounds.figure("hit with a store over without", |round| {
        round.time("hit_with_store") / round.time("hit_without_store")
    });
    rounds.function("cold_start_without_store", STARTS, |starts| {
        bench.start(starts, || bench.process().build())
    });
    rounds.function("cold_start_finds_token", STARTS, |starts| {
        bench.start(starts, || {
            bench.process().shared_store(bench.store()).build()
        })
    });
    rounds.function("cold_start_mints_and_shares", STARTS, |starts| {
        bench.start(starts, || {
            let process = bench.process().request(somebody());
            process.shared_store(bench.store()).build()
        })
    });
    for name in ["cold_start_finds_token", "cold_start_mints_and_shares"] {
        let what = format!("{name} over without a store");
        rounds.figure(what, move |round| {
            round.time(name) / round.time("cold_start_without_store")
        });
    }
    let mut group = c.benchmark_group("shared");
    rounds.run(&mut group);
    group.finish();
}

criterion_group!(benches, shared);
criterion_main!(benches);
