//! A token from the store expires after the cache has checked it, and before the cache can use it.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{
    Error, TokenCache,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::ManualClock;

use super::{Shareable, secret};

/// A fetch finds the token when it has just acquired the lease. The token expires while the fetch returns
/// the lease.
#[derive(Debug)]
struct ExpiresOnTheWay {
    clock: ManualClock,
    /// How many times a token is there.
    tokens: AtomicUsize,
    is_leased: Arc<AtomicBool>,
    saves: Arc<AtomicUsize>,
}

#[async_trait]
impl SharedTokenStore for ExpiresOnTheWay {
    async fn load(&self, _: &SharedKey) -> Result<Option<SharedToken>, Error> {
        if !self.is_leased.load(SeqCst) {
            return Ok(None);
        }
        let left = self.tokens.load(SeqCst).checked_sub(1);
        let Some(left) = left else { return Ok(None) };
        self.tokens.store(left, SeqCst);
        // usable for another second: it expires 30 s before its end
        let token = SharedToken::bearer("theirs")?.with_lifetime(secs(600));
        Ok(Some(token.with_age(secs(569))))
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        self.saves.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn lease(&self, _: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.is_leased.store(true, SeqCst);
        Ok(Some(Box::new(SlowToReturn {
            clock: self.clock.clone(),
            is_leased: self.is_leased.clone(),
        })))
    }

    async fn changed(&self, _: &SharedKey) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Debug)]
struct SlowToReturn {
    clock: ManualClock,
    is_leased: Arc<AtomicBool>,
}

#[async_trait]
impl Lease for SlowToReturn {
    async fn hold(&self) {
        pending::<()>().await;
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.clock.advance(secs(2));
        self.is_leased.store(false, SeqCst);
        Ok(())
    }

    async fn release_after(self: Box<Self>, _: Duration) -> Result<(), Error> {
        self.release().await
    }
}

/// Returns what a cache does if `tokens` of the store expire, one after the other: its token, the number of
/// its token requests, and the number of tokens that it saves.
async fn after(tokens: usize) -> (String, usize, usize) {
    let (clock, source) = (ManualClock::new(), Scripted::expires_in(600));
    let saves = Arc::new(AtomicUsize::new(0));
    let store = ExpiresOnTheWay {
        clock: clock.clone(),
        tokens: AtomicUsize::new(tokens),
        is_leased: Arc::default(),
        saves: saves.clone(),
    };
    let builder = TokenCache::builder(Shareable(source.clone()));
    let cache = builder.shared_store(store).clock(clock).build();
    let token = secret(&cache).await;
    cache.flush().await;
    let status = cache.status();
    assert!(status.last_error.is_none(), "{:?}", status.last_error);
    assert_eq!(status.tokens_from_shared_store, 0);
    (token, source.requests(), saves.load(SeqCst))
}

#[tokio::test]
async fn a_token_that_expires_before_it_can_be_used_fails_no_request() {
    // the fetch looks once more, and requests the token under the lease
    assert_eq!(after(1).await, ("t1".to_owned(), 1, 1));
}

#[tokio::test]
async fn a_store_whose_tokens_always_expire_before_they_can_be_used_fails_no_request() {
    assert_eq!(after(usize::MAX).await, ("t1".to_owned(), 1, 0));
}
