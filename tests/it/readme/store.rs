use auth_core::{ClientCredentials, Error, TokenCache};
use auth_redis::{RedisStore, SealKeys};

fn tokens(credentials: ClientCredentials, redis_url: &str) -> Result<TokenCache, Error> {
    let store = RedisStore::builder(redis_url)
        .seal_keys(SealKeys::from_files(["/run/secrets/seal-key"])?) // 32 random bytes
        .build()?;
    Ok(TokenCache::builder(credentials).shared_store(store).build())
}
