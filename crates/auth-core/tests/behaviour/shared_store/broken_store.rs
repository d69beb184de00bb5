use std::time::Duration;

use auth_core::{
    Error, RefreshPolicy, TokenCache, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::Instant;

use super::{Shareable, process, secret};
use crate::captured_log::CapturedLog;

const PATIENCE: Duration = Duration::from_millis(250);

#[tokio::test(start_paused = true)]
async fn without_a_working_store_each_process_requests_its_own_token() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    store.fail();
    let started = Instant::now();
    for number in 1..=3 {
        let tokens = process(&source, &store, clock);
        assert_eq!(secret(&tokens).await, format!("t{number}"));
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_delays_the_first_token_by_its_timeout_once() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    store.hang();
    let tokens = process(&source, &store, clock);
    let started = Instant::now();
    assert_eq!(secret(&tokens).await, "t1");
    assert_eq!(started.elapsed(), PATIENCE);
    assert_eq!(
        tokens.status().shared_store_failures,
        1,
        "the status counts it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_takes_at_most_a_quarter_of_a_short_attempt() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    store.hang();
    let policy = RefreshPolicy::builder().attempt_timeout(Duration::from_millis(400));
    let source = Scripted::expires_in(600).latency(Duration::from_millis(250));
    let tokens = TokenCache::builder(Shareable(source))
        .refresh_policy(policy.build().unwrap())
        .shared_store(store)
        .clock(clock)
        .build();
    let started = Instant::now();
    assert_eq!(secret(&tokens).await, "t1");
    assert_eq!(started.elapsed(), Duration::from_millis(100 + 250));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_delays_no_read_of_a_usable_token() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let tokens = process(&source, &store, clock);
    assert_eq!(secret(&tokens).await, "t1");
    store.hang();
    for _ in 0..6000 {
        let started = Instant::now();
        tokens.token().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_millis(100)).await;
        settle().await;
    }
    assert_eq!(source.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_caller_waits_for_a_token_to_be_saved() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::expires_in(600).latency(secs(1));
    let tokens = process(&source, &store, clock);
    let caller = tokio::spawn(async move { (secret(&tokens).await, Instant::now()) });
    let started = Instant::now();
    settle().await;
    store.hang();
    let (secret, served) = caller.await.unwrap();
    assert_eq!((secret.as_str(), served - started), ("t1", secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_works_again_is_used_again() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    store.fail();
    let (one, other) = (
        process(&source, &store, clock),
        process(&source, &store, clock),
    );
    assert_eq!(secret(&one).await, "t1");
    assert_eq!(secret(&other).await, "t2");
    store.recover();
    store.clear();
    tokio::time::advance(secs(500)).await;
    for tokens in [&one, &other] {
        assert!(tokens.cached().is_some());
        settle().await;
        assert_eq!(secret(tokens).await, "t3");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_a_saved_token_causes_one_token_request() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    assert_eq!(secret(&process(&source, &store, clock)).await, "t1");
    store.clear();
    assert_eq!(secret(&process(&source, &store, clock)).await, "t2");
}

/// Panics in every operation.
#[derive(Debug)]
struct Panicking;

#[async_trait]
impl SharedTokenStore for Panicking {
    async fn load(&self, _: &SharedKey) -> Result<Option<SharedToken>, Error> {
        panic!("load")
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        panic!("save")
    }

    async fn lease(&self, _: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        panic!("lease")
    }

    async fn changed(&self, _: &SharedKey) -> Result<(), Error> {
        panic!("changed")
    }

    fn patience(&self) -> Duration {
        panic!("patience")
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_skipped() {
    let builder = TokenCache::builder(Shareable(Scripted::expires_in(600)));
    let tokens = builder
        .shared_store(Panicking)
        .clock(TokioClock::new())
        .build();
    assert_eq!(secret(&tokens).await, "t1");
}

#[tokio::test(start_paused = true)]
async fn the_log_says_that_the_shared_store_panicked() {
    let (log, guard) = CapturedLog::start();
    let builder = TokenCache::builder(Shareable(Scripted::expires_in(600)));
    let tokens = builder
        .shared_store(Panicking)
        .clock(TokioClock::new())
        .build();
    assert_eq!(secret(&tokens).await, "t1");
    settle().await;
    drop(guard);
    let text = log.text();
    assert!(text.contains("the shared store panicked"), "{text}");
    assert!(!text.contains("token source panicked"), "{text}");
    assert!(tokens.status().shared_store_failures > 0);
    assert!(tokens.status().last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_source_without_a_key_shares_nothing() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let builder = TokenCache::builder(source.clone()).shared_store(store.clone());
    assert_eq!(secret(&builder.clock(clock).build()).await, "t1");
    settle().await;
    assert_eq!(store.saves(), 0);
}

/// Panics when a future of the store is dropped, as it is after a timeout.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("scripted");
        }
    }
}

/// A store whose `load` hangs and panics when dropped, if there is no lease to acquire, or whose
/// lease does.
#[derive(Debug)]
struct PanicsOnDrop {
    has_lease: bool,
}

#[derive(Debug)]
struct LeasePanicsOnDrop;

#[async_trait]
impl Lease for LeasePanicsOnDrop {
    async fn hold(&self) {
        let _panics = PanicsWhenDropped;
        std::future::pending::<()>().await;
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }

    async fn release_after(self: Box<Self>, _: Duration) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl SharedTokenStore for PanicsOnDrop {
    async fn load(&self, _: &SharedKey) -> Result<Option<SharedToken>, Error> {
        if !self.has_lease {
            let _panics = PanicsWhenDropped;
            std::future::pending::<()>().await;
        }
        Ok(None)
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        Ok(())
    }

    async fn lease(&self, _: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        Ok(Some(Box::new(LeasePanicsOnDrop)))
    }

    async fn changed(&self, _: &SharedKey) -> Result<(), Error> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_futures_panic_when_they_are_dropped_costs_no_request_its_token() {
    for has_lease in [false, true] {
        let source = Scripted::expires_in(600);
        let tokens = TokenCache::builder(Shareable(source.clone()))
            .shared_store(PanicsOnDrop { has_lease })
            .clock(TokioClock::new())
            .build();
        assert_eq!(secret(&tokens).await, "t1");
        settle().await;
        assert_eq!(source.requests(), 1, "{has_lease}");
        assert!(tokens.cached().is_some());
    }
}
