use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{
    authorization_server,
    load::{asked, nobody_noticed, under_load},
    logged::Logged,
    member, members, redis, store,
};
use crate::redis_server::{Program, RedisServer};

const FAILED: &str = "shared token store failed; going on without it";

#[tokio::test]
async fn redis_stopped_for_twenty_seconds_and_started_empty() -> Result<()> {
    let logged = Logged::start();
    let (server, mut redis) = (authorization_server(5).await?, redis().await?);
    let members = members(3, &server, &redis.url())?;
    let seen = under_load(&members, &server, async {
        asked(&server, 2).await?;
        redis.stop();
        sleep(Duration::from_secs(20)).await;
        redis.start_again().await?;
        let before = server.token_requests();
        asked(&server, before + 2).await
    })
    .await?;
    nobody_noticed(&seen);
    logged.tells(FAILED);
    shared_again(&members, &server).await
}

#[tokio::test]
async fn redis_that_hangs() -> Result<()> {
    let logged = Logged::start();
    let (server, redis) = (authorization_server(5).await?, redis().await?);
    let members = members(3, &server, &redis.url())?;
    let seen = under_load(&members, &server, async {
        asked(&server, 2).await?;
        redis.pause()?;
        let before = server.token_requests();
        // each renews by itself, twice
        asked(&server, before + 6).await?;
        redis.resume()?;
        let before = server.token_requests();
        asked(&server, before + 2).await
    })
    .await?;
    nobody_noticed(&seen);
    logged.tells(FAILED);
    logged.tells("no answer within");
    shared_again(&members, &server).await
}

/// From the next token on, one of them asks for all.
async fn shared_again(
    members: &[auth_core::TokenCache],
    server: &auth_testing::AuthorizationServer,
) -> Result<()> {
    let of_others = || {
        members
            .iter()
            .map(|member| member.status().tokens_from_shared_store)
            .sum::<u64>()
    };
    let before = of_others();
    let seen = under_load(members, server, async {
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
    let logged = Logged::start();
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    let tokens = member(&server, store(&redis.url())?)?;
    redis.pause()?;
    tokens.token().await?;
    assert_eq!(server.token_requests(), 1);
    logged.tells(FAILED);
    redis.resume()
}

#[tokio::test]
async fn redis_without_memory_left() -> Result<()> {
    let logged = Logged::start();
    let server = authorization_server(600).await?;
    let redis = RedisServer::builder(Program::Redis)
        .maxmemory(1)
        .start()
        .await?;
    for tokens in members(3, &server, &redis.url())? {
        tokens.token().await?;
    }
    assert_eq!(server.token_requests(), 3);
    logged.tells(FAILED);
    logged.tells("OOM");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password() -> Result<()> {
    let logged = Logged::start();
    let server = authorization_server(600).await?;
    let redis = RedisServer::builder(Program::Redis)
        .password("right")
        .start()
        .await?;
    let url = redis.url().replace("right", "guessed-pa55word");
    member(&server, store(&url)?)?.token().await?;
    logged.tells(FAILED);
    logged.tells("WRONGPASS");
    let shown = format!("{:?}", store(&url)?);
    assert!(!shown.contains("guessed"), "{shown}");
    Ok(())
}
