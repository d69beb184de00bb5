use std::time::Duration;

use anyhow::Result;
use auth_test_support::log::CapturedLog;
use tokio::time::sleep;
use tracing::Level;

use super::{
    authorization_server,
    load::{asked, nobody_noticed, under_load},
    process, processes, redis, store,
};
use crate::redis_server::{Program, RedisServer};

const FAILED: &str = "the shared store failed";

#[tokio::test]
async fn redis_stopped_for_four_lifetimes_and_started_empty() -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let (server, mut redis) = (authorization_server(5).await?, redis().await?);
    let processes = processes(3, &server, &redis.url())?;
    let seen = under_load(&processes, &server, async {
        asked(&server, 2).await?;
        redis.stop();
        let before = server.token_requests();
        // each process refreshes its own token, four times
        asked(&server, before + 12).await?;
        redis.start_again().await?;
        let before = server.token_requests();
        asked(&server, before + 2).await
    })
    .await?;
    nobody_noticed(&seen);
    log.assert_contains(FAILED);
    shared_again(&processes, &server).await
}

#[tokio::test]
async fn redis_that_hangs() -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let (server, redis) = (authorization_server(5).await?, redis().await?);
    let processes = processes(3, &server, &redis.url())?;
    let seen = under_load(&processes, &server, async {
        asked(&server, 2).await?;
        redis.pause()?;
        let before = server.token_requests();
        // each process refreshes its own token, twice
        asked(&server, before + 6).await?;
        redis.resume()?;
        let before = server.token_requests();
        asked(&server, before + 2).await
    })
    .await?;
    nobody_noticed(&seen);
    log.assert_contains(FAILED);
    log.assert_contains("expected an outcome within");
    shared_again(&processes, &server).await
}

/// Asserts that from the next token on one process requests the token for all.
async fn shared_again(
    processes: &[auth_core::TokenCache],
    server: &auth_testing::AuthorizationServer,
) -> Result<()> {
    let of_others = || {
        processes
            .iter()
            .map(|process| process.status().tokens_from_shared_store)
            .sum::<u64>()
    };
    let before = of_others();
    let seen = under_load(processes, server, async {
        while of_others() < before + 4 {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    });
    let seen = tokio::time::timeout(Duration::from_secs(60), seen).await??;
    nobody_noticed(&seen);
    Ok(())
}

#[tokio::test]
async fn redis_that_hangs_from_the_start() -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    let tokens = process(&server, store(&redis.url())?)?;
    redis.pause()?;
    tokens.token().await?;
    assert_eq!(server.token_requests(), 1);
    log.assert_contains(FAILED);
    redis.resume()
}

#[tokio::test]
async fn redis_without_memory_left() -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let server = authorization_server(600).await?;
    let redis = RedisServer::builder(Program::Redis)
        .maxmemory(1)
        .start()
        .await?;
    for tokens in processes(3, &server, &redis.url())? {
        tokens.token().await?;
    }
    assert_eq!(server.token_requests(), 3);
    log.assert_contains(FAILED);
    log.assert_contains("OOM");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password() -> Result<()> {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let server = authorization_server(600).await?;
    let redis = RedisServer::builder(Program::Redis)
        .password("right")
        .start()
        .await?;
    let url = redis.url().replace("right", "guessed-pa55word");
    process(&server, store(&url)?)?.token().await?;
    log.assert_contains(FAILED);
    log.assert_contains("WRONGPASS");
    let shown = format!("{:?}", store(&url)?);
    assert!(!shown.contains("guessed"), "{shown}");
    Ok(())
}
