use std::{fs, time::Duration};

use auth_redis::{RedisStore, SealKeys, auth_core::shared_store::SharedTokenStore};
use auth_testing::check_shared_store;

use crate::redis_store::{
    fixture::{NEW, OLD, ask, eventually, key, raw, secret, token},
    server::{Server, free_port},
    temporary_directory::TemporaryDirectory,
};

const PASSWORD: [&str; 4] = ["--requirepass", "s3cr3t", "--masterauth", "s3cr3t"];

/// A primary, a replica, and a Sentinel with a quorum of one.
struct Deployment {
    primary: Server,
    replica: Server,
    sentinel: Server,
}

impl Deployment {
    async fn start(directory: &TemporaryDirectory) -> Self {
        let primary = Server::start(&PASSWORD).await;
        let of = format!("127.0.0.1 {}", primary.port());
        let replica = Server::start(&[&PASSWORD[..], &["--replicaof", &of]].concat()).await;
        let file = directory.file("sentinel.conf");
        let port = free_port();
        let rules = format!(
            "sentinel monitor fleet 127.0.0.1 {} 1\n\
             sentinel auth-pass fleet s3cr3t\n\
             sentinel down-after-milliseconds fleet 500\n\
             sentinel failover-timeout fleet 5000\n",
            primary.port()
        );
        fs::write(&file, rules).unwrap();
        let mut sentinel = Server::with(port, &[&file, "--sentinel"]);
        sentinel.start_again().await;
        let url = sentinel.url();
        eventually("the Sentinel knows the replica", || async {
            let mut raw = raw(&url).await;
            let replicas: Vec<redis::Value> =
                ask(&mut raw, &["SENTINEL", "REPLICAS", "fleet"]).await;
            let text = format!("{replicas:?}");
            // a replica is promoted only if its link to the primary was up
            (replicas.len() == 1 && text.contains("\"ok\"")).then_some(())
        })
        .await;
        Self {
            primary,
            replica,
            sentinel,
        }
    }

    fn process(&self, name: &str) -> RedisStore {
        let keys = SealKeys::new([NEW, OLD]).unwrap();
        let store = RedisStore::sentinel([self.sentinel.url()], name)
            .primary_password("s3cr3t")
            .seal_keys(keys)
            .lease(Duration::from_secs(1));
        store.build().unwrap()
    }
}

#[tokio::test]
async fn a_primary_behind_sentinels_meets_the_contract_of_a_shared_store() {
    let directory = TemporaryDirectory::new();
    let deployment = Deployment::start(&directory).await;
    check_shared_store(&deployment.process("fleet"), &deployment.process("fleet")).await;
    let error = deployment
        .process("another")
        .load(&key())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("primary of that name"), "{error}");
}

#[tokio::test]
async fn a_store_uses_the_new_primary_after_a_failover() {
    let directory = TemporaryDirectory::new();
    let mut deployment = Deployment::start(&directory).await;
    let store = deployment.process("fleet");
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let replica = deployment.replica.url_of(":s3cr3t@");
    eventually("the replica has the token", || async {
        let mut raw = raw(&replica).await;
        (ask::<u64>(&mut raw, &["DBSIZE"]).await > 0).then_some(())
    })
    .await;
    deployment.primary.stop();
    let found = eventually("the new primary serves the store", || async {
        // until the replica is promoted, this fails
        store
            .save(
                &crate::redis_store::fixture::another_key(),
                &token("def", 0),
            )
            .await
            .ok()?;
        store.load(&key()).await.ok()
    })
    .await;
    assert_eq!(secret(found.as_ref()), Some("abc"));
}
