//! The needs for a token on account of which caches call the store. A store that bounds the wait for leases
//! counts the time of each need by itself.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use auth_core::{
    Error, ErrorKind, Replacement, TokenCache,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore, internal::Need},
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs,
};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::advance;

use super::{Shareable, process, secret};

/// Records the need of each attempt.
#[derive(Debug, Default)]
struct Recording {
    store: MemoryStore,
    needs: Mutex<Vec<Need>>,
}

impl Recording {
    /// Returns the needs, each of them once.
    fn needs(&self) -> Vec<Need> {
        let mut needs = self.needs.lock().unwrap().clone();
        needs.dedup();
        needs
    }
}

#[async_trait]
impl SharedTokenStore for Recording {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let need = key.need().expect("a cache calls the store");
        self.needs.lock().unwrap().push(need);
        self.store.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.store.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.store.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.store.changed(key).await
    }
}

fn cache(source: &Scripted, store: &Arc<Recording>, clock: TokioClock) -> TokenCache {
    TokenCache::builder(Shareable(source.clone()))
        .shared_store(store.clone())
        .clock(clock)
        .build()
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_have_one_need_and_a_token_ends_it() {
    let (clock, store) = (TokioClock::new(), Arc::new(Recording::default()));
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Unavailable));
    let tokens = cache(&source, &store, clock);
    tokens.token().await.unwrap_err();
    advance(secs(3)).await;
    assert_eq!(secret(&tokens).await, "t1");
    assert_eq!((source.requests(), store.needs().len()), (2, 1));
    advance(secs(580)).await;
    assert_eq!(secret(&tokens).await, "t2");
    assert_eq!(store.needs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_process_ends_the_need_as_well() {
    let (clock, store) = (TokioClock::new(), Arc::new(Recording::default()));
    let source = Scripted::expires_in(600);
    let other = process(&source, &store.store, clock);
    assert_eq!(secret(&other).await, "t1");
    let tokens = cache(&source, &store, clock);
    assert_eq!(secret(&tokens).await, "t1");
    advance(secs(580)).await;
    assert_eq!(secret(&tokens).await, "t2");
    assert_eq!(store.needs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_caches_of_one_process_have_different_needs() {
    let (clock, store) = (TokioClock::new(), Arc::new(Recording::default()));
    let source = Scripted::expires_in(600);
    for _ in 0..2 {
        assert_eq!(secret(&cache(&source, &store, clock)).await, "t1");
    }
    assert_eq!(store.needs().len(), 2);
}

/// Rejects the current token of a cache, and returns the other one.
async fn replaced(tokens: &TokenCache) -> String {
    let current = tokens.token().await.unwrap();
    let Replacement::Pending(other) = tokens.reject(&current) else {
        panic!("expected a token request");
    };
    other.token().await.unwrap().secret().to_owned()
}

/// A client of the store may restore tokens that the API rejects. They do not end the need for a token that it
/// accepts.
#[tokio::test(start_paused = true)]
async fn a_token_of_another_process_that_replaces_a_rejected_one_ends_no_need() {
    let (clock, store) = (TokioClock::new(), Arc::new(Recording::default()));
    let source = Scripted::expires_in(600);
    let (tokens, other) = (
        cache(&source, &store, clock),
        process(&source, &store.store, clock),
    );
    for cache in [&tokens, &other] {
        assert_eq!(secret(cache).await, "t1");
    }
    store.needs.lock().unwrap().clear();
    for expected in ["t2", "t3"] {
        // the probation of the token before ends
        advance(secs(31)).await;
        assert_eq!(replaced(&other).await, expected);
        assert_eq!(replaced(&tokens).await, expected);
    }
    assert_eq!((source.requests(), store.needs().len()), (3, 1));
}
