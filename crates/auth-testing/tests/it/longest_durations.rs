//! Durations at their maximum overflow nowhere.

use std::time::Duration;

use auth_testing::{
    Answer, AuthorizationServer, ManualClock, MemoryStore, TokioClock,
    auth_core::{
        TokenRequest,
        shared_store::{SharedKey, SharedToken, SharedTokenStore},
        time::Clock,
    },
};

const MAX: Duration = Duration::MAX;

#[tokio::test(start_paused = true)]
async fn a_lease_and_a_token_of_a_memory_store_may_last_for_ever() {
    let store = MemoryStore::with_lease(MAX);
    let key = SharedKey::new(["source"], &TokenRequest::default());
    let lease = store.lease(&key).await.unwrap().unwrap();
    assert!(store.lease(&key).await.unwrap().is_none());
    let token = SharedToken::bearer("abc").unwrap().with_lifetime(MAX);
    store.save(&key, &token).await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(store.load(&key).await.unwrap().is_some());
    let aged = token.with_age(MAX - Duration::from_secs(1));
    store.save(&key, &aged).await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(
        store.load(&key).await.unwrap().is_some(),
        "the younger one stayed"
    );
    lease.release_after(MAX).await.unwrap();
    assert!(store.lease(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn clocks_servers_and_answers_take_the_longest_durations() {
    let clock = ManualClock::new();
    for _ in 0..2 {
        clock.advance(MAX);
        clock.advance_wall(MAX);
        clock.suspend(MAX);
    }
    assert_eq!(clock.now().monotonic, MAX);
    assert!(TokioClock::new().now().after(MAX).monotonic == MAX);
    let server = AuthorizationServer::builder().token_lifetime(MAX);
    let server = server.start().await.unwrap();
    server.set_token_lifetime(MAX);
    server.set_latency(MAX);
    let _ = Answer::status(http::StatusCode::SERVICE_UNAVAILABLE).with_retry_after(MAX);
}
