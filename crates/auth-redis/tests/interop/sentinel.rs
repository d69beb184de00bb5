use std::{fs, time::Duration};

use auth_redis::{RedisStore, SealKeys, auth_core::SharedTokenStore};
use auth_testing::check_shared_store;

use crate::{
    directory::Directory,
    fixture::{NEW, OLD, ask, eventually, key, raw, secret, token},
    server::{Server, free_port},
};

const PASSWORD: [&str; 4] = ["--requirepass", "s3cr3t", "--masterauth", "s3cr3t"];

/// A primary, a replica, and a Sentinel that decides alone.
struct Trio {
    primary: Server,
    replica: Server,
    sentinel: Server,
}

impl Trio {
    async fn start(directory: &Directory) -> Self {
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
            // before the link is up, it is not promoted
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
            .master_password("s3cr3t")
            .seal_keys(keys)
            .lease(Duration::from_secs(1));
        store.build().unwrap()
    }
}

#[tokio::test]
async fn the_primary_that_a_sentinel_names_does_what_a_store_has_to_do() {
    let directory = Directory::new();
    let trio = Trio::start(&directory).await;
    check_shared_store(&trio.process("fleet"), &trio.process("fleet")).await;
    let error = trio
        .process("another")
        .load(&key())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("primary of that name"), "{error}");
}

#[tokio::test]
async fn a_primary_that_dies_is_replaced() {
    let directory = Directory::new();
    let mut trio = Trio::start(&directory).await;
    let store = trio.process("fleet");
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let replica = trio.replica.url_of(":s3cr3t@");
    eventually("the replica has it", || async {
        let mut raw = raw(&replica).await;
        (ask::<u64>(&mut raw, &["DBSIZE"]).await > 0).then_some(())
    })
    .await;
    trio.primary.stop();
    let found = eventually("the other one is asked", || async {
        // a replica that is not promoted yet refuses
        store
            .save(&crate::fixture::another_key(), &token("def", 0))
            .await
            .ok()?;
        store.load(&key()).await.ok()
    })
    .await;
    assert_eq!(secret(found.as_ref()), Some("abc"));
}
