//! An attacker who can write the store puts tokens there that were good once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use auth_core::{
    Authorizer, Error, Lease, SharedKey, SharedToken, SharedTokenStore, TokenCache,
    adapter::{Decision, Verdict},
    async_trait,
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use http::{Request, Response, StatusCode};

use super::Shareable;

/// So many old tokens, by turns, each as if it was new.
#[derive(Debug)]
struct Replayed {
    store: MemoryStore,
    tokens: usize,
    loads: Arc<AtomicUsize>,
}

#[async_trait]
impl SharedTokenStore for Replayed {
    async fn load(&self, _: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let number = self.loads.fetch_add(1, Relaxed) % self.tokens;
        let token = SharedToken::bearer(format!("old{number}"))?;
        Ok(Some(token.with_lifetime(secs(600))))
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.store.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.store.changed(key).await
    }
}

/// A request that the API rejects.
async fn rejected(authorizer: &Authorizer) {
    let mut request = Request::get("https://api.example.com/").body(()).unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&request) else {
        panic!("a token was there");
    };
    attempt.apply(request.headers_mut());
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Verdict::Renew(renewal) = attempt.classify(&response, true) {
        let _ = renewal.await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_requested_before_long() {
    // for half a minute another rejection of it is delivered
    for (tokens, longest) in [(1, 35), (2, 35), (3, 65), (9, 95)] {
        let source = Scripted::expires_in(600);
        let store = Replayed {
            store: MemoryStore::new(),
            tokens,
            loads: Arc::default(),
        };
        let builder = TokenCache::builder(Shareable(source.clone())).clock(TokioClock::new());
        let cache = builder.shared_store(store).build();
        cache.token().await.unwrap();
        let builder = Authorizer::builder(cache).origin("https://api.example.com");
        let authorizer = builder.build().unwrap();
        let mut seconds = 0;
        while source.requests() == 0 {
            assert!(seconds <= longest, "not asked, with {tokens} tokens");
            rejected(&authorizer).await;
            tokio::time::advance(secs(1)).await;
            seconds += 1;
        }
    }
}
