use std::time::Duration;

use auth_redis::{RedisStore, SealKeys, auth_core::shared_store::SharedTokenStore};
use auth_testing::check_shared_store;

use crate::redis_store::{
    conformance::RULES,
    fixture::{NEW, OLD, ask, eventually, key, raw, secret, token},
    server::{Server, free_port},
    temporary_directory::TemporaryDirectory,
};

const NODES: u16 = 3;
const SLOTS: u16 = 16_384;

/// Starts three connected nodes, each with a third of the slots.
async fn cluster(directory: &TemporaryDirectory) -> Vec<Server> {
    let mut nodes = Vec::new();
    for at in 0..NODES {
        let file = directory.file(&format!("node-{at}.conf"));
        // the default port of the bus is 10,000 higher, which may exceed the range of ports
        let bus = free_port().to_string();
        let arguments = [
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            &file,
            "--cluster-port",
            &bus,
        ];
        let node = Server::start(&arguments).await;
        let mut raw = raw(&node.url()).await;
        let (first, next) = (at * (SLOTS / NODES), (at + 1) * (SLOTS / NODES));
        let last = if at + 1 == NODES { SLOTS } else { next } - 1;
        let () = ask(
            &mut raw,
            &[
                "CLUSTER",
                "ADDSLOTSRANGE",
                &first.to_string(),
                &last.to_string(),
            ],
        )
        .await;
        if let Some(first) = nodes.first() {
            let (first, first_bus): &(Server, String) = first;
            let port = first.port().to_string();
            let () = ask(
                &mut raw,
                &["CLUSTER", "MEET", "127.0.0.1", &port, first_bus],
            )
            .await;
        }
        nodes.push((node, bus));
    }
    for (node, _) in &nodes {
        eventually("the Cluster is up", || async {
            let mut raw = raw(&node.url()).await;
            let info: String = ask(&mut raw, &["CLUSTER", "INFO"]).await;
            let is_up = info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3");
            is_up.then_some(())
        })
        .await;
    }
    nodes.into_iter().map(|(node, _)| node).collect()
}

fn process(nodes: &[Server]) -> RedisStore {
    process_as("", nodes)
}

fn process_as(user: &str, nodes: &[Server]) -> RedisStore {
    let keys = SealKeys::new([NEW, OLD]).unwrap();
    let store = RedisStore::cluster(nodes.iter().map(|node| node.url_of(user)))
        .seal_keys(keys)
        .lease(Duration::from_secs(1));
    store.build().unwrap()
}

#[tokio::test]
async fn a_cluster_meets_the_contract_of_a_shared_store() {
    let directory = TemporaryDirectory::new();
    let nodes = cluster(&directory).await;
    check_shared_store(&process(&nodes), &process(&nodes)).await;
}

#[tokio::test]
async fn a_store_works_again_after_a_cluster_hung() {
    let directory = TemporaryDirectory::new();
    let nodes = cluster(&directory).await;
    let store = process(&nodes);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    for node in &nodes {
        node.signal(rustix::process::Signal::STOP);
    }
    let error = store.load(&key()).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 1 s"), "{error}");
    for node in &nodes {
        node.signal(rustix::process::Signal::CONT);
    }
    let found = eventually("the store works again", || async {
        store.load(&key()).await.ok()
    })
    .await;
    assert_eq!(secret(found.as_ref()), Some("abc"));
}

#[tokio::test]
async fn a_notification_from_any_node_of_a_cluster_wakes_the_waiters() {
    let directory = TemporaryDirectory::new();
    let nodes = cluster(&directory).await;
    let (one, other) = (process(&nodes), process(&nodes));
    let lease = one.lease(&key()).await.unwrap().unwrap();
    let mut admin = raw(&nodes[0].url()).await;
    let key = key();
    let hold = lease.hold();
    let mut changed = std::pin::pin!(other.changed(&key));
    let publish = async {
        // nothing changes, so only the message can wake the waiter; the bus carries it to all nodes
        loop {
            let mut channels: Vec<String> = Vec::new();
            for node in &nodes {
                let mut raw = raw(&node.url()).await;
                channels.extend(ask::<Vec<String>>(&mut raw, &["PUBSUB", "CHANNELS"]).await);
            }
            for channel in channels {
                let _: u64 = ask(&mut admin, &["PUBLISH", &channel, "saved"]).await;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = &mut changed => outcome.unwrap(),
        () = hold => panic!("holding a lease never completes"),
        () = publish => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("the waiter was not woken"),
    }
    lease.release().await.unwrap();
}

#[tokio::test]
async fn the_acl_rules_of_the_readme_suffice_for_a_cluster() {
    let directory = TemporaryDirectory::new();
    let nodes = cluster(&directory).await;
    for node in &nodes {
        let mut admin = raw(&node.url()).await;
        let rules = ["ACL", "SETUSER", "fleet"]
            .into_iter()
            .chain(RULES.split_whitespace());
        let () = ask(&mut admin, &rules.chain(["+cluster"]).collect::<Vec<_>>()).await;
    }
    let process = || process_as("fleet:s3cr3t@", &nodes);
    check_shared_store(&process(), &process()).await;
}
