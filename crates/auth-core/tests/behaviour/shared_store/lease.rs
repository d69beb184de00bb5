use std::time::Duration;

use async_trait::async_trait;
use auth_core::{
    Error, ErrorKind, TokenCache, TokenRequest, TokenSource,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::Instant;

use super::{Shareable, process, secret};

#[tokio::test(start_paused = true)]
async fn a_crashed_holder_delays_the_others_by_one_lease_once() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let dying = Scripted::expires_in(600).hold();
    let holder = process(&dying, &store, clock);
    let last_words = tokio::spawn({
        let holder = holder.clone();
        async move { holder.token().await.map(drop) }
    });
    settle().await;
    assert_eq!(dying.in_flight(), 1);
    last_words.abort();
    drop(holder);
    settle().await;
    assert_eq!(dying.in_flight(), 0, "its process has ended");

    let source = Scripted::expires_in(600);
    let others = super::fleet(10, &source, &store, clock);
    let started = Instant::now();
    for tokens in &others {
        assert_eq!(secret(tokens).await, "t1");
    }
    // and the time between two attempts
    let max = Duration::from_millis(5_100);
    assert!(started.elapsed() <= max, "{:?}", started.elapsed());
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_held_while_the_token_request_is_in_flight() {
    let (clock, store) = (TokioClock::new(), MemoryStore::with_lease(secs(1)));
    let slow = Scripted::expires_in(600).latency(secs(4));
    let holder = process(&slow, &store, clock);
    let holding = tokio::spawn(async move { secret(&holder).await });
    settle().await;
    let source = Scripted::expires_in(600);
    let other = process(&source, &store, clock);
    assert_eq!(secret(&other).await, "t1");
    assert_eq!(
        source.requests(),
        0,
        "the process has waited for the token of the holder"
    );
    assert_eq!(with_timeout(holding).await.unwrap(), "t1");
}

#[tokio::test(start_paused = true)]
async fn a_process_waits_for_the_holder_for_three_quarters_of_an_attempt() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let holder = process(&Scripted::always(Answer::Hangs), &store, clock);
    let holding = tokio::spawn(async move { holder.token().await.map(drop) });
    settle().await;
    let source = Scripted::expires_in(600);
    let other = process(&source, &store, clock);
    let started = Instant::now();
    assert_eq!(secret(&other).await, "t1");
    assert_eq!(
        started.elapsed(),
        Duration::from_millis(7_500),
        "three quarters of 10 s"
    );
    let error = with_timeout(holding).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

/// The token request of the holder fails after a second. Returns how long the next process takes to obtain
/// a token, and the error of the holder.
async fn after_a_failure(kind: ErrorKind) -> (Duration, ErrorKind) {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let failing = Scripted::always(Answer::fails(kind)).latency(secs(1));
    let holder = process(&failing, &store, clock);
    let holding = tokio::spawn(async move { holder.token().await.map(drop) });
    settle().await;
    let other = process(&Scripted::expires_in(600), &store, clock);
    let started = Instant::now();
    assert_eq!(secret(&other).await, "t1");
    let took = started.elapsed();
    (
        took,
        with_timeout(holding).await.unwrap().unwrap_err().kind(),
    )
}

#[tokio::test(start_paused = true)]
async fn after_a_transient_failure_no_other_process_requests_a_token_during_the_backoff() {
    let (took, error) = after_a_failure(ErrorKind::Unavailable).await;
    // a backoff of a second ±20 %, and the read after the notification
    let expected = Duration::from_millis(1_800)..Duration::from_millis(2_500);
    assert!(expected.contains(&took), "{took:?}");
    assert_eq!(error, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn after_a_denial_no_other_process_requests_a_token_for_a_second() {
    let (took, error) = after_a_failure(ErrorKind::Denied).await;
    let expected = Duration::from_secs(2)..Duration::from_millis(2_500);
    assert!(expected.contains(&took), "{took:?}");
    assert_eq!(
        error,
        ErrorKind::Denied,
        "the outcome of its own token request"
    );
}

#[tokio::test(start_paused = true)]
async fn behind_a_request_that_hangs_one_waiter_acquires_the_fallback_lease() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let holder = process(&Scripted::always(Answer::Hangs), &store, clock);
    let holding = tokio::spawn(async move { holder.token().await.map(drop) });
    settle().await;
    let source = Scripted::expires_in(600).latency(secs(1));
    let tasks: Vec<_> = super::fleet(20, &source, &store, clock)
        .into_iter()
        .map(|tokens| tokio::spawn(async move { secret(&tokens).await }))
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "t1");
    }
    assert_eq!(source.requests(), 1);
    assert!(with_timeout(holding).await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_receives_requests_of_at_most_two_processes() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::always(Answer::Hangs);
    let tasks: Vec<_> = super::fleet(20, &source, &store, clock)
        .into_iter()
        .map(|tokens| tokio::spawn(async move { tokens.token().await.map(drop) }))
        .collect();
    for task in tasks {
        let error = with_timeout(task).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert_eq!(source.requests(), 2);
    assert_eq!(source.max_in_flight(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_usable_token_is_served_while_another_process_refreshes_it() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let tokens = process(&Scripted::expires_in(600), &store, clock);
    assert_eq!(secret(&tokens).await, "t1");
    tokio::time::advance(secs(500)).await;
    // the token is stale, and the process that refreshes it hangs and holds the lease
    let holder = process(&Scripted::always(Answer::Hangs), &store, clock);
    let holding = tokio::spawn(async move { holder.token().await.map(drop) });
    settle().await;
    for _ in 0..690 {
        let started = Instant::now();
        tokens.token().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    holding.abort();
    assert_eq!(
        secret(&tokens).await,
        "t2",
        "the process has refreshed the token itself"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_wait_for_another_process() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let holder = process(&Scripted::always(Answer::Hangs), &store, clock);
    let holding = tokio::spawn(async move { holder.token().await.map(drop) });
    settle().await;
    let source = Scripted::expires_in(600);
    let waiting = process(&source, &store, clock);
    let caller = tokio::spawn({
        let waiting = waiting.clone();
        async move { waiting.token().await.map(drop) }
    });
    settle().await;
    caller.abort();
    drop(waiting);
    tokio::time::advance(secs(60)).await;
    settle().await;
    assert_eq!(source.requests(), 0);
    assert!(with_timeout(holding).await.unwrap().is_err());
}

/// Another process saves a token just before the lease is acquired.
#[derive(Debug)]
struct SavedMeanwhile(MemoryStore);

#[async_trait]
impl SharedTokenStore for SavedMeanwhile {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.0.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.0.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let token = SharedToken::bearer("theirs")?.with_lifetime(secs(600));
        self.0.save(key, &token).await?;
        self.0.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.0.changed(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_holder_reads_the_store_once_more() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let builder = TokenCache::builder(Shareable(source.clone()));
    let store_of_this = SavedMeanwhile(store.clone());
    let tokens = builder.shared_store(store_of_this).clock(clock).build();
    assert_eq!(secret(&tokens).await, "theirs");
    assert_eq!(source.requests(), 0);
    let key = Shareable(source)
        .shared_key(&TokenRequest::default())
        .unwrap();
    assert!(
        store.lease(&key).await.unwrap().is_some(),
        "the lease has been released"
    );
}
