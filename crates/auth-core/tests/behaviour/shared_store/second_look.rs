//! Another process changes the store between two operations of a process.

use std::{future::pending, sync::Mutex, time::Duration};

use auth_core::{
    Error, TokenCache, TokenRequest, TokenSource, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::{Instant, sleep};

use super::{Shareable, secret};

/// Another process holds the lease. Just before the fallback lease is acquired, the token is saved.
#[derive(Debug)]
struct SavedBeforeTheFallbackLease {
    store: MemoryStore,
    first: Mutex<Option<SharedKey>>,
}

#[async_trait]
impl SharedTokenStore for SavedBeforeTheFallbackLease {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.store.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.store.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let first = self
            .first
            .lock()
            .unwrap()
            .get_or_insert(key.clone())
            .clone();
        if *key == first {
            return Ok(None);
        }
        let token = SharedToken::bearer("theirs")?.with_lifetime(secs(600));
        self.store.save(&first, &token).await?;
        self.store.lease(key).await
    }

    async fn changed(&self, _: &SharedKey) -> Result<(), Error> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn the_holder_of_the_fallback_lease_reads_the_store_once_more() {
    let source = Scripted::expires_in(600);
    let store = SavedBeforeTheFallbackLease {
        store: MemoryStore::new(),
        first: Mutex::default(),
    };
    let builder = TokenCache::builder(Shareable(source.clone()));
    let tokens = builder.shared_store(store).clock(TokioClock::new()).build();
    assert_eq!(secret(&tokens).await, "theirs");
    assert_eq!(source.requests(), 0);
}

/// Another process holds the lease, also after it has saved the token. No notification arrives.
#[derive(Debug)]
struct SavedWithoutNews(MemoryStore);

#[async_trait]
impl SharedTokenStore for SavedWithoutNews {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.0.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.0.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let token = SharedToken::bearer("theirs")?.with_lifetime(secs(600));
        self.0.save(key, &token).await?;
        Ok(None)
    }

    async fn changed(&self, _: &SharedKey) -> Result<(), Error> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_without_a_notification_reads_the_store_again() {
    let builder = TokenCache::builder(Shareable(Scripted::expires_in(600)));
    let builder = builder.shared_store(SavedWithoutNews(MemoryStore::new()));
    let tokens = builder.clock(TokioClock::new()).build();
    let started = Instant::now();
    assert_eq!(secret(&tokens).await, "theirs");
    assert_eq!(started.elapsed(), Duration::from_millis(500));
}

/// Saves slowly, within the time limit.
#[derive(Debug)]
struct SlowToSave(MemoryStore);

#[async_trait]
impl SharedTokenStore for SlowToSave {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.0.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        sleep(Duration::from_millis(900)).await;
        self.0.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.0.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.0.changed(key).await
    }
}

/// Short-lived programs depend on it.
#[tokio::test(start_paused = true)]
async fn a_flushed_token_has_been_saved() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    for keep_warm in [false, true] {
        store.clear();
        let builder = TokenCache::builder(Shareable(Scripted::expires_in(600))).clock(clock);
        let builder = builder.shared_store(SlowToSave(store.clone()));
        let tokens = match keep_warm {
            true => builder.keep_warm().build(),
            false => builder.build(),
        };
        tokens.flush().await;
        let (started, saves) = (Instant::now(), store.saves());
        assert_eq!(secret(&tokens).await, "t1");
        assert_eq!((store.saves(), started.elapsed()), (saves, Duration::ZERO));
        tokens.flush().await;
        assert_eq!(store.saves(), saves + 1);
        let key = Shareable(Scripted::expires_in(600)).shared_key(&TokenRequest::default());
        let lease = store.lease(&key.unwrap()).await.unwrap();
        assert!(lease.is_some(), "the lease has been released");
        let max = Duration::from_millis(900);
        assert_eq!(started.elapsed(), max, "before the lease is extended again");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_held_until_the_token_is_saved() {
    let (clock, store) = (TokioClock::new(), MemoryStore::with_lease(secs(1)));
    let source = Scripted::expires_in(600).latency(Duration::from_millis(300));
    let tasks = [0, 1].map(|_| {
        let builder = TokenCache::builder(Shareable(source.clone())).clock(clock);
        let tokens = builder.shared_store(SlowToSave(store.clone())).build();
        tokio::spawn(async move { secret(&tokens).await })
    });
    for task in tasks {
        assert_eq!(task.await.unwrap(), "t1");
    }
    assert_eq!(source.requests(), 1);
}
