//! The same test on every kind of server.

use std::time::Duration;

use anyhow::Result;
use auth_core::Error;
use auth_redis::{RedisStore, RedisStoreBuilder, SealKeys};
use auth_testing::check_shared_store;

use super::{KEY, authorization_server, process};
use crate::redis_server::{Cluster, Program, RedisServer, Sentinel};

/// The ACL rules of the README.
const ACL_RULES: &str = "~auth:* &auth:* +eval +strlen +get +set +del +pttl +pexpire +pexpireat +publish +time \
                         +subscribe +unsubscribe +hello +auth +ping +client|setname";

const LEASE: Duration = Duration::from_secs(1);

/// Asserts that three processes make one token request, and use each operation of the store.
async fn is_shared(builder: impl Fn() -> RedisStoreBuilder) -> Result<()> {
    is_shared_by(|keys| builder().seal_keys(keys).lease(LEASE).build()).await
}

async fn is_shared_by(build: impl Fn(SealKeys) -> Result<RedisStore, Error>) -> Result<()> {
    let server = authorization_server(600).await?;
    let store = || -> Result<RedisStore> { Ok(build(SealKeys::new([KEY])?)?) };
    for _ in 0..3 {
        process(&server, store()?)?.token().await?;
    }
    assert_eq!(server.token_requests(), 1);
    check_shared_store(&store()?, &store()?).await;
    Ok(())
}

#[tokio::test]
async fn redis_over_tcp() -> Result<()> {
    let redis = RedisServer::builder(Program::Redis).start().await?;
    is_shared(|| RedisStore::builder(redis.url())).await
}

#[tokio::test]
async fn valkey_over_tcp() -> Result<()> {
    let valkey = RedisServer::builder(Program::Valkey).start().await?;
    is_shared(|| RedisStore::builder(valkey.url())).await
}

#[tokio::test]
async fn redis_over_a_unix_socket() -> Result<()> {
    let redis = RedisServer::builder(Program::Redis)
        .unix()
        .password("a b")
        .start()
        .await?;
    is_shared(|| RedisStore::builder(redis.url())).await
}

#[tokio::test]
async fn redis_over_tls() -> Result<()> {
    let redis = RedisServer::builder(Program::Redis)
        .tls()
        .password("pass")
        .start()
        .await?;
    let ca = redis.ca_pem().unwrap_or_default();
    is_shared(|| RedisStore::builder(redis.url()).root_certificate(ca)).await
}

#[tokio::test]
async fn redis_by_an_acl_user() -> Result<()> {
    let redis = RedisServer::builder(Program::Redis)
        .acl_user("svc", "pa55", ACL_RULES)
        .start()
        .await?;
    is_shared(|| RedisStore::builder(redis.url_as("svc", "pa55"))).await
}

#[tokio::test]
async fn redis_behind_sentinels_before_and_after_a_failover() -> Result<()> {
    let mut sentinel = Sentinel::start(Program::Redis, 3).await?;
    let (urls, name) = (sentinel.urls(), sentinel.service());
    let build = |keys| {
        RedisStore::sentinel(urls.clone(), name)
            .seal_keys(keys)
            .lease(LEASE)
            .build()
    };
    is_shared_by(build).await?;
    sentinel.fail_over().await?;
    is_shared_by(build).await
}

#[tokio::test]
async fn a_cluster_of_three() -> Result<()> {
    let cluster = Cluster::start(Program::Valkey).await?;
    let urls = cluster.urls();
    is_shared(|| RedisStore::cluster(urls.clone())).await
}
