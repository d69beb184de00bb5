use std::{sync::Arc, time::Duration};

use auth_redis::auth_core::{
    TokenRequest,
    shared_store::{SharedKey, SharedTokenStore},
};
use tokio::{task::JoinSet, time::timeout};

use crate::redis_store::{
    fixture::{Fixture, NEW, ask, eventually, raw},
    server::Server,
};

fn key_number(number: u32) -> SharedKey {
    SharedKey::new([&*number.to_string()], &TokenRequest::default())
}

/// The waiters are dropped before, during and after the SUBSCRIBE command of their channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_subscription_remains_when_its_waiters_are_dropped() {
    const KEYS: u32 = 500;
    let server = Server::start(&[]).await;
    let store = Arc::new(Fixture::at(server.url()).store([NEW]));
    let mut leases = Vec::new();
    for number in 0..KEYS {
        leases.push(store.lease(&key_number(number)).await.unwrap().unwrap());
    }
    let mut waiters = JoinSet::new();
    for number in 0..KEYS {
        let store = Arc::clone(&store);
        waiters.spawn(async move {
            let wait = Duration::from_micros(40) * number;
            let _ = timeout(wait, store.changed(&key_number(number))).await;
        });
    }
    waiters.join_all().await;
    let admin = raw(&server.url()).await;
    eventually("no channel has a subscriber", || async {
        let channels: Vec<String> = ask(&mut admin.clone(), &["PUBSUB", "CHANNELS"]).await;
        channels.is_empty().then_some(())
    })
    .await;
}
