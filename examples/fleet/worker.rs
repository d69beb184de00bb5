//! One process of the fleet: tasks that call the API, and a line a second about how they fare.

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
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    time::{MissedTickBehavior, interval},
};
use tracing_subscriber::EnvFilter;

use crate::place::CLIENT;

/// Where a worker finds what it needs.
pub(crate) const TOKEN_URL: &str = "FLEET_TOKEN_URL";
pub(crate) const API_URL: &str = "FLEET_API_URL";
pub(crate) const REDIS_URL: &str = "FLEET_REDIS_URL";
pub(crate) const SEAL_KEY: &str = "FLEET_SEAL_KEY";

const PAUSE: Duration = Duration::from_millis(200);
const TELLS_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Counts {
    ok: AtomicU64,
    failed: AtomicU64,
}

/// Goes on until it is killed, or until whoever started it is gone.
pub(crate) async fn run(tasks: usize) -> anyhow::Result<bool> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    // reqwest is built without a provider here; it makes no TLS connection
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tokens = tokens()?;
    let url = var(API_URL)?;
    let authorizer = Authorizer::builder(tokens.clone())
        .origin_of(&url)
        .build()?;
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(AuthMiddleware::new(authorizer))
        .build();
    let counts = Arc::new(Counts::default());
    for _ in 0..tasks {
        tokio::spawn(call(client.clone(), url.clone(), Arc::clone(&counts)));
    }
    let mut orders = tokio::io::stdin();
    let mut tick = interval(TELLS_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => tell(&counts, &tokens)?,
            _ = orders.read_u8() => return Ok(true),
        }
    }
}

fn tokens() -> anyhow::Result<TokenCache> {
    let authentication = ClientAuthentication::client_secret_basic(CLIENT.1);
    let transport = ReqwestTransport::new(reqwest::Client::builder().no_proxy())?;
    let credentials =
        ClientCredentials::builder(var(TOKEN_URL)?, CLIENT.0, authentication).build(transport)?;
    let builder = TokenCache::builder(credentials);
    let Ok(redis) = env::var(REDIS_URL) else {
        return Ok(builder.build());
    };
    let keys = SealKeys::from_files([var(SEAL_KEY)?])?;
    let store = RedisStore::builder(redis).seal_keys(keys).build()?;
    Ok(builder.shared_store(store).build())
}

async fn call(client: ClientWithMiddleware, url: String, counts: Arc<Counts>) {
    let mut turns = interval(PAUSE);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let outcome = match client.get(&url).send().await {
            Ok(response) if response.status().is_success() => &counts.ok,
            Ok(_) | Err(_) => &counts.failed,
        };
        outcome.fetch_add(1, Relaxed);
    }
}

fn tell(counts: &Counts, tokens: &TokenCache) -> anyhow::Result<()> {
    let status = tokens.status();
    let line = json!({
        "ok": counts.ok.load(Relaxed),
        "failed": counts.failed.load(Relaxed),
        "token_requests": status.token_requests,
        "shared": status.tokens_from_shared_store,
    });
    writeln!(io::stdout(), "{line}").context("whoever started this is gone")
}

fn var(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set: start this without --worker"))
}
