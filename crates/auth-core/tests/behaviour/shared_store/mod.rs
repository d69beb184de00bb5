//! One token for many processes, each of which is simulated by a cache.

mod broken_store;
mod expired_on_the_way;
mod lease;
mod needs;
mod old_token_put_back;
mod one_token;
mod random_histories;
mod rejected_token;
mod revoked_with_the_saved_token;
mod same_token_again;
mod second_look;
mod slow_store;
mod stale_token;
mod suspended_process;

use async_trait::async_trait;
use auth_core::{
    Error, TokenCache, TokenRequest, TokenResponse, TokenSource, shared_store::SharedKey,
};
use auth_test_support::scripted::Scripted;
use auth_testing::{MemoryStore, TokioClock};

/// A source with a shared key, which is the same for every scripted source.
#[derive(Clone, Debug)]
struct Shareable(Scripted);

#[async_trait]
impl TokenSource for Shareable {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch(request).await
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["scripted"], request))
    }
}

fn process(source: &Scripted, store: &MemoryStore, clock: TokioClock) -> TokenCache {
    TokenCache::builder(Shareable(source.clone()))
        .shared_store(store.clone())
        .clock(clock)
        .build()
}

fn fleet(
    count: usize,
    source: &Scripted,
    store: &MemoryStore,
    clock: TokioClock,
) -> Vec<TokenCache> {
    (0..count).map(|_| process(source, store, clock)).collect()
}

async fn secret(tokens: &TokenCache) -> String {
    tokens.token().await.unwrap().secret().to_owned()
}
