//! An attacker with write access to the store saves formerly valid tokens.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use auth_core::{
    Authorizer, Error, TokenCache,
    adapter::{Decision, Verdict},
    async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use http::{Request, Response, StatusCode};

use super::Shareable;

/// Returns this number of old tokens in turn, each as if it were new.
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

/// Sends a request, which the API rejects.
async fn rejected(authorizer: &Authorizer) {
    let mut request = Request::get("https://api.example.com/").body(()).unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&request) else {
        panic!("expected a cached token");
    };
    attempt.apply(request.headers_mut());
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Verdict::Renew(renewal) = attempt.classify(&response, true) {
        let _ = renewal.await;
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_tokens_of_the_store_cause_a_token_request_within_a_bounded_time() {
    // for 30 s another rejection of the replacement is delivered
    for (tokens, max) in [(1, 35), (2, 35), (3, 65), (9, 95)] {
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
            assert!(seconds <= max, "no token request, with {tokens} tokens");
            rejected(&authorizer).await;
            tokio::time::advance(secs(1)).await;
            seconds += 1;
        }
    }
}
