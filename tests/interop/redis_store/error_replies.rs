use auth_redis::auth_core::{Error, ErrorKind, shared_store::SharedTokenStore};
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use crate::redis_store::{
    fixture::{Fixture, NEW, ask, eventually, key, raw, token},
    server::Server,
};

#[track_caller]
fn assert_shows(error: Option<Error>, code: &str) {
    let error = error.expect("an error");
    assert_eq!(error.kind(), ErrorKind::SharedStore);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(code), "{shown}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one() {
    let server = Server::start(&["--requirepass", "right"]).await;
    let wrong = Fixture::at(server.url_of(":s3cr3t@")).store([NEW]);
    assert_shows(wrong.load(&key()).await.err(), "WRONGPASS");
    let wrong = Fixture::at(server.url_of("unknown:s3cr3t@")).store([NEW]);
    assert_shows(wrong.lease(&key()).await.err(), "WRONGPASS");
    let none = Fixture::at(server.url()).store([NEW]);
    assert_shows(none.save(&key(), &token("s3cr3t", 0)).await.err(), "NOAUTH");
    let right = Fixture::at(server.url_of(":right@")).store([NEW]);
    right.load(&key()).await.unwrap();
}

#[tokio::test]
async fn a_user_without_the_acl_rules() {
    let server = Server::start(&[]).await;
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["ACL", "SETUSER", "fleet", "on", ">s3cr3t"]).await;
    let store = Fixture::at(server.url_of("fleet:s3cr3t@")).store([NEW]);
    assert_shows(store.load(&key()).await.err(), "NOPERM");
    // all commands, but no keys
    let () = ask(&mut admin, &["ACL", "SETUSER", "fleet", "+@all"]).await;
    assert_shows(store.load(&key()).await.err(), "NOPERM");
    // all keys, but not each command of the scripts
    let rules = ["ACL", "SETUSER", "fleet", "~*", "-strlen"];
    let () = ask(&mut admin, &rules).await;
    assert_shows(store.load(&key()).await.err(), "NOPERM");
}

/// The reply repeats the text of the script, which names error codes.
#[tokio::test]
async fn a_server_without_a_command() {
    for command in ["EVAL", "STRLEN"] {
        let server = Server::start(&["--rename-command", command, ""]).await;
        let store = Fixture::at(server.url()).store([NEW]);
        let error = store.load(&key()).await.err();
        assert_shows(error.clone(), "does not know a command");
        assert!(!error.unwrap().to_string().contains("WRONGTYPE"));
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(format!("{}/99", server.url())).store([NEW]);
    assert_shows(store.load(&key()).await.err(), "no database of that number");
}

#[tokio::test]
async fn a_server_whose_memory_is_full() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_shows(store.save(&key(), &token("s3cr3t", 0)).await.err(), "OOM");
    assert_shows(store.lease(&key()).await.err(), "OOM");
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
async fn operations_on_a_replica_open_at_most_one_connection_a_second() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.load(&key()).await.unwrap();
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]).await;
    let (before, started) = (connections(&mut admin).await, Instant::now());
    for _ in 0..300 {
        assert_shows(store.lease(&key()).await.err(), "READONLY");
    }
    let made = connections(&mut admin).await - before;
    assert!(made <= started.elapsed().as_secs() + 1, "{made}");
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_and_a_primary_again() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.load(&key()).await.unwrap();
    let mut admin = raw(&server.url()).await;
    let () = ask(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_shows(
        store.save(&key(), &token("s3cr3t", 0)).await.err(),
        "READONLY",
    );
    let () = ask(&mut admin, &["REPLICAOF", "NO", "ONE"]).await;
    eventually("the token is saved", || async {
        store.save(&key(), &token("abc", 0)).await.ok()
    })
    .await;
}
