//! Several caches that share a token through a real Redis, which is stopped, hangs, is full, or contains
//! unreadable values. Each cache stands for a process, and its store has its own connections.

mod key_rotation;
mod load;
mod outages;
mod processes;
mod server_kinds;
mod unreadable_values;

use std::time::Duration;

use anyhow::Result;
use auth_core::{ClientAuthentication, ClientCredentials, TokenCache};
use auth_redis::{RedisStore, SealKeys};
use auth_reqwest::ReqwestTransport;
use auth_testing::AuthorizationServer;

use crate::redis_server::{Program, RedisServer};

const KEY: [u8; 32] = *b"the one seal key of interop test";

async fn authorization_server(lifetime: u64) -> Result<AuthorizationServer> {
    let builder = AuthorizationServer::builder().client("fleet", "secret");
    Ok(builder
        .token_lifetime(Duration::from_secs(lifetime))
        .start()
        .await?)
}

async fn redis() -> Result<RedisServer> {
    RedisServer::builder(Program::Redis).start().await
}

fn store(url: &str) -> Result<RedisStore> {
    Ok(RedisStore::builder(url)
        .seal_keys(SealKeys::new([KEY])?)
        .build()?)
}

/// A process that shares its token through `store`.
fn process(server: &AuthorizationServer, store: RedisStore) -> Result<TokenCache> {
    // another test may have installed it
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authentication = ClientAuthentication::client_secret_basic("secret");
    let transport = ReqwestTransport::new(reqwest::Client::builder().no_proxy())?;
    let grant = ClientCredentials::builder(server.token_endpoint(), "fleet", authentication)
        .build(transport)?;
    Ok(TokenCache::builder(grant).shared_store(store).build())
}

/// Returns `count` processes on the server at `url`.
fn processes(count: usize, server: &AuthorizationServer, url: &str) -> Result<Vec<TokenCache>> {
    (0..count).map(|_| process(server, store(url)?)).collect()
}
