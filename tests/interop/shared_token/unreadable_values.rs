use anyhow::{Context as _, Result};
use auth_test_support::log::CapturedLog;
use tracing::Level;

use super::{authorization_server, processes, redis};
use crate::redis_server::RedisServer;

const UNREADABLE: &str = "the stored token is unreadable and is treated as absent";

/// Returns the key of the token.
async fn kept_under(redis: &RedisServer) -> Result<String> {
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await?;
    let mut kept = None;
    for key in keys {
        let left: i64 = redis.command(&["PTTL", &key]).await?;
        // a lease ends within a few seconds
        if left > 60_000 {
            kept = Some(key);
        }
    }
    kept.context("no token is kept")
}

/// The first process requests a token, which `spoil` makes unreadable. Asserts that the second process
/// requests another one, and that the third loads it.
async fn is_replaced(spoil: impl AsyncFnOnce(&RedisServer, String) -> Result<()>) -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    let [first, second, third] = &processes(3, &server, &redis.url())?[..] else {
        anyhow::bail!("three were asked for");
    };
    first.token().await?;
    // a token is saved after it has been handed out
    let key = loop {
        if let Ok(key) = kept_under(&redis).await {
            break key;
        }
    };
    log.assert_empty();
    spoil(&redis, key).await?;
    second.token().await?;
    assert_eq!(server.token_requests(), 2);
    log.assert_contains(UNREADABLE);
    let theirs = second.token().await?;
    assert_eq!(third.token().await?.secret(), theirs.secret());
    assert_eq!(server.token_requests(), 2);
    Ok(())
}

#[tokio::test]
async fn a_foreign_value_is_replaced() -> Result<()> {
    is_replaced(async |redis, key| redis.command(&["SET", &key, "hello", "EX", "600"]).await).await
}

#[tokio::test]
async fn a_value_of_another_type_is_replaced() -> Result<()> {
    is_replaced(async |redis, key| {
        redis.command::<()>(&["DEL", &key]).await?;
        redis.command(&["RPUSH", &key, "hello"]).await
    })
    .await
}

#[tokio::test]
async fn a_flipped_bit_is_found() -> Result<()> {
    is_replaced(async |redis, key| {
        // within the sealed part
        let length: i64 = redis.command(&["STRLEN", &key]).await?;
        let bit = (length * 8 - 12).to_string();
        let set: i64 = redis.command(&["GETBIT", &key, &bit]).await?;
        let flipped = (1 - set).to_string();
        redis.command(&["SETBIT", &key, &bit, &flipped]).await
    })
    .await
}

#[tokio::test]
async fn a_huge_value_is_not_read() -> Result<()> {
    is_replaced(async |redis, key| {
        let offset = (64 << 20).to_string();
        let length: i64 = redis.command(&["SETRANGE", &key, &offset, "x"]).await?;
        assert!(length > 64 << 20);
        Ok(())
    })
    .await
}
