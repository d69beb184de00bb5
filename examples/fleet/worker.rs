//! One process of the fleet: its tasks call the API, and it reports its counts on stdout.

use std::{
    env,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Context;
use auth_core::{Authorizer, ClientAuthentication, ClientCredentials, TokenCache};
use auth_redis::{RedisStore, SealKeys};
use auth_reqwest::{AuthMiddleware, ReqwestTransport, client_builder};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    time::{MissedTickBehavior, interval},
};
use tracing_subscriber::EnvFilter;

use crate::servers::{CLIENT_ID, CLIENT_SECRET};

// the environment variables that a worker reads
pub(crate) const TOKEN_URL: &str = "FLEET_TOKEN_URL";
pub(crate) const API_URL: &str = "FLEET_API_URL";
pub(crate) const REDIS_URL: &str = "FLEET_REDIS_URL";
pub(crate) const SEAL_KEY: &str = "FLEET_SEAL_KEY";

const REQUEST_INTERVAL: Duration = Duration::from_millis(200);
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Counts {
    ok: AtomicU64,
    failed: AtomicU64,
}

/// Runs until it is killed, or until the process that started it closes its stdin.
pub(crate) async fn run(tasks: usize) -> anyhow::Result<bool> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    // reqwest needs a TLS provider to start, although the servers use plain HTTP
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tokens = tokens()?;
    let url = var(API_URL)?;
    let authorizer = Authorizer::builder(tokens.clone())
        .origin_of(&url)
        .build()?;
    let client = ClientBuilder::new(client_builder().build()?)
        .with(AuthMiddleware::new(authorizer))
        .build();
    let counts = Arc::new(Counts::default());
    for _ in 0..tasks {
        tokio::spawn(call(client.clone(), url.clone(), Arc::clone(&counts)));
    }
    let mut stdin = tokio::io::stdin();
    let mut tick = interval(REPORT_INTERVAL);
    loop {
        tokio::select! {
            _ = tick.tick() => report(&counts, &tokens)?,
            _ = stdin.read_u8() => return Ok(true),
        }
    }
}

fn tokens() -> anyhow::Result<TokenCache> {
    let authentication = ClientAuthentication::client_secret_basic(CLIENT_SECRET);
    let transport = ReqwestTransport::new(client_builder())?;
    let grant = ClientCredentials::builder(var(TOKEN_URL)?, CLIENT_ID, authentication);
    let builder = TokenCache::builder(grant.build(transport)?);
    let Ok(redis) = env::var(REDIS_URL) else {
        return Ok(builder.build());
    };
    let keys = SealKeys::from_files([var(SEAL_KEY)?])?;
    let store = RedisStore::builder(redis).seal_keys(keys).build()?;
    Ok(builder.shared_store(store).build())
}

/// Calls the API at a steady rate.
async fn call(client: ClientWithMiddleware, url: String, counts: Arc<Counts>) {
    let mut ticks = interval(REQUEST_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let outcome = match client.get(&url).send().await {
            Ok(response) if response.status().is_success() => &counts.ok,
            Ok(_) | Err(_) => &counts.failed,
        };
        outcome.fetch_add(1, Relaxed);
    }
}

fn report(counts: &Counts, tokens: &TokenCache) -> anyhow::Result<()> {
    let status = tokens.status();
    let line = json!({
        "ok": counts.ok.load(Relaxed),
        "failed": counts.failed.load(Relaxed),
        "token_requests": status.token_requests,
        "tokens_from_redis": status.tokens_from_shared_store,
    });
    writeln!(io::stdout(), "{line}").context("stdout is closed")
}

fn var(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| {
        format!("environment variable {name} is not set: start the fleet without --worker")
    })
}
