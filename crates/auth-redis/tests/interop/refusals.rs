use auth_redis::auth_core::{Error, ErrorKind, SharedTokenStore};
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use crate::{
    fixture::{Fixture, NEW, ask, eventually, key, raw, token},
    server::Server,
};

#[track_caller]
fn tells(error: Option<Error>, code: &str) {
    let error = error.expect("an error");
    assert_eq!(error.kind(), ErrorKind::SharedStore);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(code), "{shown}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn a_wrong_password_and_none() {
    let server = Server::start(&["--requirepass", "right"]).await;
    let wrong = Fixture::at(server.url_of(":s3cr3t@")).store([NEW]);
    tells(wrong.load(&key()).await.err(), "WRONGPASS");
    let wrong = Fixture::at(server.url_of("nobody:s3cr3t@")).store([NEW]);
    tells(wrong.lease(&key()).await.err(), "WRONGPASS");
    let none = Fixture::at(server.url()).store([NEW]);
    tells(none.save(&key(), &token("s3cr3t", 0)).await.err(), "NOAUTH");
    let right = Fixture::at(server.url_of(":right@")).store([NEW]);
    right.load(&key()).await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_do_nothing() {
    let server = Server::start(&[]).await;
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["ACL", "SETUSER", "fleet", "on", ">s3cr3t"]).await;
    let store = Fixture::at(server.url_of("fleet:s3cr3t@")).store([NEW]);
    tells(store.load(&key()).await.err(), "NOPERM");
    // commands, and no keys
    let () = ask(&mut admin, &["ACL", "SETUSER", "fleet", "+@all"]).await;
    tells(store.load(&key()).await.err(), "NOPERM");
}

#[tokio::test]
async fn a_database_that_there_is_not() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(format!("{}/99", server.url())).store([NEW]);
    tells(store.load(&key()).await.err(), "it refuses the database");
}

#[tokio::test]
async fn full_memory() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["CONFIG", "SET", "maxmemory", "1"]).await;
    tells(store.save(&key(), &token("s3cr3t", 0)).await.err(), "OOM");
    tells(store.lease(&key()).await.err(), "OOM");
    assert!(store.load(&key()).await.unwrap().is_none());
    let () = ask(&mut admin, &["CONFIG", "SET", "maxmemory", "0"]).await;
    store.save(&key(), &token("abc", 0)).await.unwrap();
}

async fn connections(admin: &mut MultiplexedConnection) -> u64 {
    let stats: String = ask(admin, &["INFO", "stats"]).await;
    let made = "total_connections_received:";
    let made = stats.lines().find_map(|line| line.strip_prefix(made));
    made.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_replica_is_not_connected_to_for_each_operation() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.load(&key()).await.unwrap();
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]).await;
    let (before, started) = (connections(&mut admin).await, Instant::now());
    for _ in 0..300 {
        tells(store.lease(&key()).await.err(), "READONLY");
    }
    let made = connections(&mut admin).await - before;
    // one a second at most
    assert!(made <= started.elapsed().as_secs() + 1, "{made}");
}

#[tokio::test]
async fn a_replica() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.load(&key()).await.unwrap();
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]).await;
    tells(
        store.save(&key(), &token("s3cr3t", 0)).await.err(),
        "READONLY",
    );
    let () = ask(&mut admin, &["REPLICAOF", "NO", "ONE"]).await;
    eventually("it can be written to", || async {
        store.save(&key(), &token("abc", 0)).await.ok()
    })
    .await;
}
