//! Processes that are frozen or suspended while a store or a server answers.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::{
    Error, TokenCache, TokenRequest, TokenResponse, TokenSource,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
    time::Clock,
};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::{ManualClock, MemoryStore};

use super::{Shareable, secret};

/// The process is frozen between the response of the store and its processing.
#[derive(Debug)]
struct Frozen {
    store: MemoryStore,
    clock: ManualClock,
    frozen_for: Duration,
}

#[async_trait]
impl SharedTokenStore for Frozen {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let answer = self.store.load(key).await;
        self.clock.advance(self.frozen_for);
        answer
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

fn key() -> SharedKey {
    let key = Shareable(Scripted::expires_in(600)).shared_key(&TokenRequest::default());
    key.unwrap()
}

#[tokio::test]
async fn a_token_from_the_store_ages_while_the_process_is_suspended() {
    for (frozen_for, expected) in [(secs(60), "theirs"), (secs(580), "t1")] {
        let (clock, store) = (ManualClock::new(), MemoryStore::new());
        let token = SharedToken::bearer("theirs")
            .unwrap()
            .with_lifetime(secs(600));
        store.save(&key(), &token).await.unwrap();
        let frozen = Frozen {
            store,
            clock: clock.clone(),
            frozen_for,
        };
        let builder = TokenCache::builder(Shareable(Scripted::expires_in(600)));
        let tokens = builder.shared_store(frozen).clock(clock).build();
        assert_eq!(secret(&tokens).await, expected);
        if expected == "theirs" {
            let left = tokens.status().usable_for.unwrap();
            assert!(left <= secs(570 - 60), "{left:?}");
        }
    }
}

/// The machine is suspended while the server answers.
#[derive(Debug)]
struct Sleepy(ManualClock);

#[async_trait]
impl TokenSource for Sleepy {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.suspend(secs(300));
        Ok(TokenResponse::bearer("t1")?.with_expires_in(secs(600)))
    }

    fn shared_key(&self, _: &TokenRequest) -> Option<SharedKey> {
        Some(key())
    }
}

#[tokio::test]
async fn a_token_is_saved_with_its_age_by_the_wall_clock() {
    let (clock, store) = (ManualClock::new(), MemoryStore::new());
    let before = clock.now();
    let builder = TokenCache::builder(Sleepy(clock.clone()));
    let tokens = builder
        .shared_store(store.clone())
        .clock(clock.clone())
        .build();
    assert_eq!(secret(&tokens).await, "t1");
    assert_eq!(
        clock.now().monotonic,
        before.monotonic,
        "the machine was suspended"
    );
    settle().await;
    let saved = store.load(&key()).await.unwrap().expect("saved");
    assert!(saved.remaining() <= secs(300), "{:?}", saved.remaining());
}
