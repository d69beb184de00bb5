use std::time::Duration;

use auth_redis::{
    RedisStore,
    auth_core::{ErrorKind, shared_store::SharedTokenStore},
};
use rustix::process::Signal;
use tokio::time::{Instant, timeout};

use crate::redis_store::{
    fixture::{Fixture, NEW, eventually, key, secret, token},
    server::Server,
    tcp_relay::TcpRelay,
};

/// Loads as the cache does, for at most the store's patience. `None`: the load took longer.
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
    eventually("the store works again", || async {
        load(store).await?.ok()
    })
    .await
}

#[tokio::test]
async fn a_store_works_again_after_its_server_hung() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    assert_eq!(store.patience(), Duration::from_millis(250));

    server.signal(Signal::STOP);
    assert_eq!(load(&store).await, None);
    // a caller that waits longer sees the connection discarded, and the next one time out
    let error = store.load(&key()).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 1 s"), "{error}");
    let error = store.load(&key()).await.unwrap_err().to_string();
    assert!(error.contains("no connection within 5 s"), "{error}");
    server.signal(Signal::CONT);
    assert_eq!(works_again(&store).await.as_deref(), Some("abc"));
}

#[tokio::test]
async fn a_store_works_again_after_its_server_was_restarted_empty() {
    let mut server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();

    server.stop();
    let error = eventually("a load fails", || async { load(&store).await?.err() }).await;
    assert!(error.contains("127.0.0.1"), "{error}");
    server.start_again().await;
    assert_eq!(works_again(&store).await, None);
    store.save(&key(), &token("def", 0)).await.unwrap();
    assert_eq!(works_again(&store).await.as_deref(), Some("def"));
}

#[tokio::test]
async fn a_store_works_once_its_server_is_started() {
    let mut server = Server::stopped(&[]);
    let store = Fixture::at(server.url()).store([NEW]);
    assert_eq!(store.patience(), Duration::from_secs(1));
    let error = eventually("a load fails", || async { load(&store).await?.err() }).await;
    assert!(error.contains("refused"), "{error}");
    // the longer patience applies to the first attempt only, whatever its outcome
    assert_eq!(store.patience(), Duration::from_millis(250));
    server.start_again().await;
    assert_eq!(works_again(&store).await, None);
}

#[tokio::test]
async fn attempts_to_connect_back_off_when_the_server_closes_every_connection() {
    let relay = TcpRelay::start(None).await;
    let store = Fixture::at(relay.url()).store([NEW]);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let loaded = load(&store).await;
        assert!(matches!(loaded, Some(Err(_))), "{loaded:?}");
        tokio::task::yield_now().await;
    }
    // the backoffs are at least 50, 100, 200, 400 and then 500 ms
    let max = 5 + start.elapsed().as_millis() / 500;
    let accepted = relay.accepted();
    assert!(
        accepted as u128 <= max,
        "{accepted} connections in {:?}",
        start.elapsed()
    );
    assert!(accepted > 1, "a second attempt follows the first");
}

#[tokio::test]
async fn an_attempt_to_connect_continues_when_its_waiters_are_dropped() {
    let server = Server::start(&[]).await;
    let relay = TcpRelay::start(Some(server.port())).await;
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
async fn a_dropped_operation_does_not_disturb_the_others() {
    let store = Fixture::new().store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    for _ in 0..100 {
        let (key, given) = (key(), token("abc", 0));
        // polled once, so that the operation has started
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
