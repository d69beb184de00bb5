use anyhow::Result;
use auth_core::TokenCache;
use auth_redis::{RedisStore, SealKeys};
use auth_testing::AuthorizationServer;

use super::{authorization_server, member, redis};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

fn with_keys(server: &AuthorizationServer, url: &str, keys: &[[u8; 32]]) -> Result<TokenCache> {
    let store = RedisStore::builder(url).seal_keys(SealKeys::new(keys)?);
    member(server, store.build()?)
}

/// As it is done: first everybody can open what the new key seals, then everybody seals with it,
/// then the old one goes.
#[tokio::test]
async fn a_ring_that_is_rolled_costs_at_most_one_request_a_generation() -> Result<()> {
    let (server, redis) = (authorization_server(600).await?, redis().await?);
    let generations: [&[[u8; 32]]; 4] = [&[OLD], &[OLD, NEW], &[NEW, OLD], &[NEW]];
    for (number, keys) in generations.into_iter().enumerate() {
        // while the last generation is still there, and after it has gone
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
    // nobody had to ask but the first and, when nothing was left that it could open, the last
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
