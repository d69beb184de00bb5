use std::{sync::Arc, time::Duration};

use auth_redis::auth_core::{SharedKey, SharedTokenStore, TokenRequest};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    fixture::{Fixture, NEW, ask, eventually, raw},
    server::Server,
};

fn nth(number: u32) -> SharedKey {
    SharedKey::new([&*number.to_string()], &TokenRequest::default())
}

/// Those who wait give up before, while and after the server is asked to tell them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_subscription_stays_whenever_waiting_is_given_up() {
    const KEYS: u32 = 500;
    let server = Server::start(&[]).await;
    let store = Arc::new(Fixture::at(server.url()).store([NEW]));
    let mut leases = Vec::new();
    for number in 0..KEYS {
        leases.push(store.lease(&nth(number)).await.unwrap().unwrap());
    }
    let mut waiters = JoinSet::new();
    for number in 0..KEYS {
        let store = Arc::clone(&store);
        waiters.spawn(async move {
            let patience = Duration::from_micros(40) * number;
            let _ = timeout(patience, store.changed(&nth(number))).await;
        });
    }
    waiters.join_all().await;
    let admin = raw(&server.url()).await;
    eventually("nobody is subscribed", || async {
        let left: Vec<String> = ask(&mut admin.clone(), &["PUBSUB", "CHANNELS"]).await;
        left.is_empty().then_some(())
    })
    .await;
}
