use std::sync::Arc;

use auth_redis::auth_core::shared_store::SharedTokenStore;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;

use crate::redis_store::{
    fixture::{Fixture, NEW, OLD, ask, eventually, key, raw, token, with_timeout},
    server::Server,
};

async fn subscribers(raw: &mut MultiplexedConnection, channel: &str) -> u64 {
    let (_, count): (String, u64) = ask(raw, &["PUBSUB", "NUMSUB", channel]).await;
    count
}

async fn until_subscribed(fixture: &Fixture, channel: &str, count: u64) {
    let raw = fixture.raw().await;
    eventually(&format!("{count} subscribers"), || async {
        let now = subscribers(&mut raw.clone(), channel).await;
        (now == count).then_some(())
    })
    .await;
}

async fn channel(fixture: &Fixture) -> String {
    fixture.name("lease").await.replace(":lease", ":changed")
}

#[tokio::test]
async fn many_waiters_share_one_subscription_and_are_woken_by_a_message() {
    let fixture = Fixture::new();
    let store = Arc::new(fixture.store([NEW]));
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let channel = channel(&fixture).await;
    let mut waiters = JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        waiters.spawn(async move { store.changed(&key()).await.unwrap() });
    }
    until_subscribed(&fixture, &channel, 1).await;
    // each waiter subscribes before it polls, and polls before it waits
    let mut raw = fixture.raw().await;
    // nothing changes, so only the message can wake the waiters
    with_timeout("all waiters are woken", async {
        while !waiters.is_empty() {
            let _: u64 = ask(&mut raw, &["PUBLISH", &channel, "saved"]).await;
            tokio::task::yield_now().await;
            while let Some(waiter) = waiters.try_join_next() {
                waiter.unwrap();
            }
        }
    })
    .await;
    until_subscribed(&fixture, &channel, 0).await;
    lease.release().await.unwrap();
}

#[tokio::test]
async fn saving_and_releasing_notify_the_waiters() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW, OLD]);
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let mut listener = raw_resp3(&fixture).await;
    let pattern = format!("{}:*", fixture.prefix);
    listener.connection.psubscribe(pattern).await.unwrap();

    store.save(&key(), &token("abc", 0)).await.unwrap();
    assert_eq!(listener.next().await, "saved");
    lease.release().await.unwrap();
    // one message for each of the two seal keys
    assert_eq!(listener.next().await, "released");
    assert_eq!(listener.next().await, "released");
}

struct Listener {
    connection: MultiplexedConnection,
    pushes: tokio::sync::mpsc::UnboundedReceiver<redis::PushInfo>,
}

impl Listener {
    async fn next(&mut self) -> String {
        loop {
            let push = with_timeout("a push", self.pushes.recv()).await.unwrap();
            if push.kind == redis::PushKind::PMessage {
                return redis::from_redis_value(push.data[2].clone()).unwrap();
            }
        }
    }
}

async fn raw_resp3(_fixture: &Fixture) -> Listener {
    let url = std::env::var("AUTH_TEST_REDIS_URL").unwrap();
    let (sender, pushes) = tokio::sync::mpsc::unbounded_channel();
    let config = redis::AsyncConnectionConfig::new().set_push_sender(sender);
    let client = redis::Client::open(format!("{url}/?protocol=resp3")).unwrap();
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    Listener {
        connection: connection.await.unwrap(),
        pushes,
    }
}

#[tokio::test]
async fn a_dropped_waiter_unsubscribes() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let channel = channel(&fixture).await;
    {
        let key = key();
        let changed = store.changed(&key);
        tokio::select! {
            _ = changed => panic!("nothing has changed"),
            () = until_subscribed(&fixture, &channel, 1) => {}
        }
    }
    until_subscribed(&fixture, &channel, 0).await;
    lease.release().await.unwrap();
}

/// Checks that a waiter notices a change without a message. The change is `command`, whose second word
/// is the suffix of the key.
async fn is_noticed_by_polling(fixture: &Fixture, command: &[&str]) {
    let store = fixture.store([NEW]);
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let name = fixture.name("lease").await;
    let mut raw = fixture.raw().await;
    let key = key();
    let changed = store.changed(&key);
    let change = async {
        until_subscribed(fixture, &name.replace(":lease", ":changed"), 1).await;
        let name = name.replace(":lease", command[1]);
        let words = [&[command[0], &name], &command[2..]].concat();
        let _: redis::Value = ask(&mut raw, &words).await;
    };
    let (changed, ()) = with_timeout("the change is noticed", async {
        tokio::join!(changed, change)
    })
    .await;
    changed.unwrap();
    lease.release().await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_lease_without_a_message_is_noticed() {
    is_noticed_by_polling(&Fixture::new(), &["DEL", ":lease"]).await;
}

#[tokio::test]
async fn waiters_poll_if_the_acl_does_not_allow_the_channels() {
    let server = Server::start(&[]).await;
    let mut admin = raw(&server.url()).await;
    let rules = ["on", ">s3cr3t", "~*", "resetchannels", "+@all"];
    let words = [&["ACL", "SETUSER", "fleet"][..], &rules].concat();
    let () = ask(&mut admin, &words).await;
    let fixture = Fixture::at(server.url_of("fleet:s3cr3t@"));
    let store = fixture.store([NEW]);
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let key = key();
    let waits = async {
        with_timeout("a change is noticed", store.changed(&key))
            .await
            .unwrap();
    };
    let releases = async { lease.release().await.unwrap() };
    tokio::join!(waits, releases);
    store.save(&key, &token("abc", 0)).await.unwrap();
    assert!(store.load(&key).await.unwrap().is_some());
}
