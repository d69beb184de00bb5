use std::time::Duration;

use auth_redis::{RedisStore, SealKeys};
use auth_testing::check_shared_store;

use crate::redis_store::{
    fixture::{Fixture, NEW, OLD, ask, raw},
    server::Server,
};

const LEASE: Duration = Duration::from_secs(1);
/// The rules in the README, for the prefix `auth`.
pub(crate) const RULES: &str = "on >s3cr3t ~auth:* resetchannels &auth:* -@all +eval +strlen +get +set +del +pttl +pexpire \
                     +pexpireat +publish +time +subscribe +unsubscribe";

fn url() -> String {
    std::env::var("AUTH_TEST_REDIS_URL").expect("run `cargo xtask test`")
}

#[tokio::test]
async fn a_store_with_seal_keys_meets_the_contract_of_a_shared_store() {
    let process = || {
        let keys = SealKeys::new([NEW, OLD]).unwrap();
        let store = RedisStore::builder(url()).seal_keys(keys).lease(LEASE);
        store.build().unwrap()
    };
    check_shared_store(&process(), &process()).await;
}

#[tokio::test]
async fn a_store_in_plaintext_meets_the_contract_of_a_shared_store() {
    let process = || {
        let store = RedisStore::builder(url())
            .danger_plaintext(true)
            .lease(LEASE);
        store.build().unwrap()
    };
    check_shared_store(&process(), &process()).await;
}

#[tokio::test]
async fn the_acl_rules_of_the_readme_suffice() {
    let readme = include_str!("../../../crates/auth-redis/README.md");
    let rules = RULES.split_once("~auth").unwrap().1;
    assert!(readme.contains(&format!("~auth{rules}")), "~auth{rules}");

    let server = Server::start(&[]).await;
    let mut admin = raw(&server.url()).await;
    let command: Vec<&str> = ["ACL", "SETUSER", "fleet"]
        .into_iter()
        .chain(RULES.split_whitespace())
        .collect();
    let () = ask(&mut admin, &command).await;
    let process = || {
        let url = server.url_of("fleet:s3cr3t@");
        let keys = SealKeys::new([NEW]).unwrap();
        let store = RedisStore::builder(url).seal_keys(keys).lease(LEASE);
        store.build().unwrap()
    };
    check_shared_store(&process(), &process()).await;
    let acl_log: Vec<redis::Value> = ask(&mut admin, &["ACL", "LOG"]).await;
    assert!(acl_log.is_empty(), "{acl_log:?}");
}

#[tokio::test]
async fn a_store_connects_at_its_first_use() {
    let server = Server::start(&[]).await;
    let fixture = Fixture::at(server.url());
    let store = fixture.store([NEW]);
    let mut raw = fixture.raw().await;
    let clients: String = ask(&mut raw, &["CLIENT", "LIST"]).await;
    assert_eq!(clients.lines().count(), 1, "{clients}");
    drop(store);
}
