//! A store that works, at the other end of a network.

use std::time::Duration;

use auth_core::{
    Error, ErrorKind, RefreshPolicy, TokenCache, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, with_timeout,
};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::sleep;

use super::Shareable;

/// The latency of the store.
#[derive(Debug)]
struct Far(MemoryStore, Duration);

#[async_trait]
impl SharedTokenStore for Far {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        sleep(self.1).await;
        self.0.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.0.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        sleep(self.1).await;
        self.0.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.0.changed(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_finds_no_token_counts_no_failure_of_the_store() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::always(Answer::fails(ErrorKind::Unavailable));
    let tasks: Vec<_> = (0..500)
        .map(|number| {
            let far = Far(store.clone(), Duration::from_millis(20));
            let builder = TokenCache::builder(Shareable(source.clone())).clock(clock);
            let tokens = builder.shared_store(far).build();
            tokio::spawn(async move {
                // so that the waiters do not all time out at the same moment
                sleep(Duration::from_millis(number * 5)).await;
                tokens.token().await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        assert!(with_timeout(task).await.unwrap().is_err());
    }
    // about ten seconds: one after each backoff of 1 s ±20 %, and some under the fallback lease
    let requests = source.requests();
    assert!((8..=20).contains(&requests), "{requests}");
}

/// An attempt timeout of a second leaves the store a sixteenth of a second at the end, which is too short.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_too_short_for_the_store_counts_no_failure_of_the_store() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::always(Answer::Hangs);
    let policy = RefreshPolicy::builder().attempt_timeout(secs(1));
    let policy = policy.build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let far = Far(store.clone(), Duration::from_millis(100));
            let builder = TokenCache::builder(Shareable(source.clone())).clock(clock);
            let builder = builder.refresh_policy(policy.clone()).shared_store(far);
            let tokens = builder.build();
            tokio::spawn(async move { tokens.token().await.map(drop) })
        })
        .collect();
    for task in tasks {
        let error = with_timeout(task).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert!(source.requests() <= 2, "{}", source.requests());
}
