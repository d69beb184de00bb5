use anyhow::Result;
use auth_core::TokenCache;
use auth_redis::{RedisStore, SealKeys};
use auth_testing::AuthorizationServer;

use super::{authorization_server, process, redis};

const OLD: [u8; 32] = *b"the old seal key of interop test";
const NEW: [u8; 32] = *b"the new seal key of interop test";

fn with_keys(server: &AuthorizationServer, url: &str, keys: &[[u8; 32]]) -> Result<TokenCache> {
    let store = RedisStore::builder(url).seal_keys(SealKeys::new(keys)?);
    process(server, store.build()?)
}

/// The steps of a rotation: first every process can open values that are sealed with the new key, then every
/// process seals with it, and then the old key is removed.
#[tokio::test]
async fn a_key_rotation_causes_at_most_one_token_request_in_each_generation() -> Result<()> {
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    let generations: [&[[u8; 32]]; 4] = [&[OLD], &[OLD, NEW], &[NEW, OLD], &[NEW]];
    for (number, keys) in generations.into_iter().enumerate() {
        // while the last generation of processes is running, and after it has ended
        for _ in 0..3 {
            with_keys(&server, &redis.url(), keys)?.token().await?;
        }
        let most = number + 1;
        assert!(
            server.token_requests() <= most,
            "{} of {most}",
            server.token_requests()
        );
    }
    // only the first process requested a token and, when it could open no value, the last one
    assert!(server.token_requests() <= 2, "{}", server.token_requests());
    Ok(())
}

#[tokio::test]
async fn another_key_shares_nothing() -> Result<()> {
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    with_keys(&server, &redis.url(), &[OLD])?.token().await?;
    with_keys(&server, &redis.url(), &[NEW])?.token().await?;
    assert_eq!(server.token_requests(), 2);
    Ok(())
}
