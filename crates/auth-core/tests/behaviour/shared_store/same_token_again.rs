//! The token endpoint returns the revoked token once more, to processes that share it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    Error, Replacement, TokenCache, TokenRequest, TokenResponse, TokenSource,
    shared_store::SharedKey,
};
use auth_test_support::secs;
use auth_testing::{MemoryStore, TokioClock};
use futures_util::future::join_all;
use tokio::time::{Duration, sleep};

use super::secret;

/// Returns its first token three more times, and then another one.
#[derive(Clone, Debug, Default)]
struct Caching(Arc<AtomicUsize>);

#[async_trait]
impl TokenSource for Caching {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = match self.0.fetch_add(1, SeqCst) {
            0..=3 => 1,
            _ => 2,
        };
        sleep(Duration::from_millis(50)).await;
        Ok(TokenResponse::bearer(format!("t{number}"))?.with_expires_in(secs(600)))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["caching"], request))
    }
}

/// The process that asked keeps the lease until it asks again.
#[tokio::test(start_paused = true)]
async fn is_requested_in_the_intervals_of_one_process() {
    let (source, store) = (Caching::default(), MemoryStore::new());
    let fleet: Vec<_> = (0..20)
        .map(|_| {
            let process = TokenCache::builder(source.clone()).shared_store(store.clone());
            process.clock(TokioClock::new()).build()
        })
        .collect();
    for tokens in &fleet {
        assert_eq!(secret(tokens).await, "t1");
    }
    sleep(secs(60)).await;
    // t1 is revoked
    let recovered = join_all(fleet.iter().map(async |tokens| {
        for tick in 0..1000 {
            let token = tokens.token().await.unwrap();
            if token.secret() == "t2" {
                return Duration::from_millis(100) * tick;
            }
            if let Replacement::Pending(next) = tokens.reject(&token) {
                let _ = next.token().await;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("no other token")
    }));
    let started = tokio::time::Instant::now();
    recovered.await;
    let took = started.elapsed();
    let requests = source.0.load(SeqCst);
    eprintln!("20 processes: {requests} token requests, {took:?}");
    assert_eq!(requests, 5);
    assert!(took < secs(12), "{took:?}");
}
