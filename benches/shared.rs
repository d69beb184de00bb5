//! The time that a shared store costs: a read with a store configured, and a cold start that finds
//! another process's token in the store, compared with one that requests a token.
//!
//! Needs a Redis: the one of `REDIS_URL`, or a `redis-server` on the PATH, which the bench starts. Where there
//! is none, the bench says so and measures nothing. The authorization server is on loopback as well, so a cold start has the round trips of a network
//! without its latency.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    env, fs,
    hint::black_box,
    process::{self, Command, Stdio},
    time::{Duration, Instant},
};

use auth_core::{
    ClientAuthentication, ClientCredentials, TokenCache, TokenCacheBuilder, TokenRequest,
};
use auth_redis::{RedisStore, SealKeys};
use auth_reqwest::ReqwestTransport;
use auth_testing::AuthorizationServer;
use bench_support::TOKEN_LENGTH;
use bench_support::interleaved::{Interleaved, print_table, skip};
use criterion::{Criterion, criterion_group, criterion_main};
use local_redis::Redis;
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 100;
/// A batch takes ten milliseconds or more.
const READS: u64 = 500_000;
/// The number of caches that the reads are spread over.
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

    /// A process that has never requested a token, with a connection of its own.
    fn process(&self) -> TokenCacheBuilder {
        let authentication = ClientAuthentication::client_secret_basic("secret");
        let http = reqwest::Client::builder().no_proxy();
        let grant =
            ClientCredentials::builder(self.server.token_endpoint(), "bench", authentication)
                .build(ReqwestTransport::new(http).unwrap());
        TokenCache::builder(grant.unwrap())
    }

    fn store(&self) -> RedisStore {
        let keys = SealKeys::new([*b"the seal key of these benchmarks"]).unwrap();
        let builder = RedisStore::builder(self.redis.url()).seal_keys(keys);
        builder.build().unwrap()
    }

    /// The addresses of a cache and its token change the time by a few percent. Therefore there are
    /// several caches, at random distances.
    fn read(&self, reads: u64, make: impl Fn() -> TokenCache) -> Duration {
        let mut distances = Vec::new();
        let mut all = Duration::ZERO;
        for _ in 0..CACHES {
            distances.push(vec![0_u8; fastrand::usize(1..16_384)]);
            let tokens = make();
            self.runtime.block_on(async {
                tokens.token().await.unwrap();
                // otherwise the token is saved during the timed reads, on the other processor
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

    /// Returns the time that processes take, one after the other, until they have their first token,
    /// connections included.
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

/// A token request that no other process makes, so that no token for it is saved.
fn unshared_request() -> TokenRequest {
    let audience = format!("{:032x}", fastrand::u128(..));
    TokenRequest::builder().audience(audience).build().unwrap()
}

fn has_redis() -> bool {
    let mut server = Command::new("redis-server");
    let server = server.arg("--version").stdout(Stdio::null());
    env::var("REDIS_URL").is_ok_and(|url| !url.is_empty()) || server.status().is_ok()
}

fn shared(c: &mut Criterion) {
    if !has_redis() {
        return skip(
            "shared",
            "no Redis server: install redis-server, or set REDIS_URL",
        );
    }
    // reqwest is built without a crypto provider here and requires one, although none is used
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
    rounds.function("cold_start_requests_and_saves", STARTS, |starts| {
        bench.start(starts, || {
            let process = bench.process().request(unshared_request());
            process.shared_store(bench.store()).build()
        })
    });
    for name in ["cold_start_finds_token", "cold_start_requests_and_saves"] {
        let what = format!("{name} over without a store");
        rounds.figure(what, move |round| {
            round.time(name) / round.time("cold_start_without_store")
        });
    }
    let mut group = c.benchmark_group("shared");
    rounds.run(&mut group);
    group.finish();
    print_table("shared");
}

criterion_group!(benches, shared);
criterion_main!(benches);
