use std::time::Duration;

use auth_redis::{
    RedisStore,
    auth_core::{ErrorKind, SharedTokenStore},
};
use rustix::process::Signal;
use tokio::time::{Instant, timeout};

use crate::{
    fixture::{Fixture, NEW, eventually, key, secret, token},
    relay::Relay,
    server::Server,
};

/// As the cache calls it: no longer than its patience.
async fn load(store: &RedisStore) -> Option<Result<Option<String>, String>> {
    let loaded = timeout(store.patience(), store.load(&key())).await.ok()?;
    Some(match loaded {
        Ok(token) => Ok(secret(token.as_ref()).map(str::to_owned)),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::SharedStore);
            Err(error.to_string())
        }
    })
}

async fn works_again(store: &RedisStore) -> Option<String> {
    eventually("it works again", || async { load(store).await?.ok() }).await
}

#[tokio::test]
async fn a_server_that_hangs_and_goes_on() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    assert_eq!(store.patience(), Duration::from_millis(250));

    server.signal(Signal::STOP);
    assert_eq!(load(&store).await, None);
    // whoever waits longer learns that the connection was given up, and a new one gets nowhere
    let error = store.load(&key()).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 1 s"), "{error}");
    let error = store.load(&key()).await.unwrap_err().to_string();
    assert!(error.contains("no connection within 5 s"), "{error}");
    server.signal(Signal::CONT);
    assert_eq!(works_again(&store).await.as_deref(), Some("abc"));
}

#[tokio::test]
async fn a_server_that_is_stopped_and_started_empty() {
    let mut server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();

    server.stop();
    let error = eventually("it fails", || async { load(&store).await?.err() }).await;
    assert!(error.contains("127.0.0.1"), "{error}");
    server.start_again().await;
    assert_eq!(works_again(&store).await, None);
    store.save(&key(), &token("def", 0)).await.unwrap();
    assert_eq!(works_again(&store).await.as_deref(), Some("def"));
}

#[tokio::test]
async fn a_server_that_is_started_later() {
    let mut server = Server::stopped(&[]);
    let store = Fixture::at(server.url()).store([NEW]);
    assert_eq!(store.patience(), Duration::from_secs(1));
    let error = eventually("it fails", || async { load(&store).await?.err() }).await;
    assert!(error.contains("refused"), "{error}");
    // more is for the first attempt alone, whatever it came to
    assert_eq!(store.patience(), Duration::from_millis(250));
    server.start_again().await;
    assert_eq!(works_again(&store).await, None);
}

#[tokio::test]
async fn a_server_that_closes_every_connection_is_not_hammered() {
    let relay = Relay::start(None).await;
    let store = Fixture::at(relay.url()).store([NEW]);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let loaded = load(&store).await;
        assert!(matches!(loaded, Some(Err(_))), "{loaded:?}");
        tokio::task::yield_now().await;
    }
    // at least 50, 100, 200, 400 and then 500 ms lie between two
    let most = 5 + start.elapsed().as_millis() / 500;
    let accepted = relay.accepted();
    assert!(
        accepted as u128 <= most,
        "{accepted} connections in {:?}",
        start.elapsed()
    );
    assert!(accepted > 1, "it tries again");
}

#[tokio::test]
async fn an_attempt_to_connect_outlives_its_waiters() {
    let server = Server::start(&[]).await;
    let relay = Relay::start(Some(server.port())).await;
    let store = Fixture::at(relay.url()).store([NEW]);
    for _ in 0..3 {
        let loaded = timeout(Duration::from_millis(50), store.load(&key())).await;
        assert!(loaded.is_err(), "{loaded:?}");
    }
    relay.open();
    assert_eq!(works_again(&store).await, None);
    assert_eq!(relay.accepted(), 1);
}

#[tokio::test]
async fn an_operation_that_is_dropped_takes_nothing_with_it() {
    let store = Fixture::new().store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    for _ in 0..100 {
        let (key, given) = (key(), token("abc", 0));
        // polled once, so that it is on its way
        tokio::select! {
            biased;
            _ = store.save(&key, &given) => {}
            () = std::future::ready(()) => {}
        }
        tokio::select! {
            biased;
            _ = store.load(&key) => {}
            () = std::future::ready(()) => {}
        }
    }
    assert_eq!(works_again(&store).await.as_deref(), Some("abc"));
}
