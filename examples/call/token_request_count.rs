//! Counts token requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use auth_core::{
    Dpop, Error, TokenRequest, TokenResponse, TokenSource, async_trait, shared_store::SharedKey,
};

/// The number of token requests so far, and of those that failed. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenRequestCount(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    failed: AtomicU64,
}

impl TokenRequestCount {
    pub(crate) fn started(&self) -> u64 {
        self.0.started.load(Relaxed)
    }

    /// Returns the number of token requests that failed or were canceled.
    pub(crate) fn failed(&self) -> u64 {
        self.0.failed.load(Relaxed)
    }
}

/// A source that counts the token requests of another source.
#[derive(Debug)]
pub(crate) struct CountingSource<S> {
    inner: S,
    count: TokenRequestCount,
}

impl<S: TokenSource> CountingSource<S> {
    pub(crate) fn new(inner: S, count: TokenRequestCount) -> Self {
        Self { inner, count }
    }
}

#[async_trait]
impl<S: TokenSource> TokenSource for CountingSource<S> {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let mut attempt = Attempt::start(&self.count.0);
        let fetched = self.inner.fetch(request).await;
        attempt.succeeded = fetched.is_ok();
        fetched
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        self.inner.shared_key(request)
    }

    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        self.inner.effective_request(request)
    }

    fn dpop(&self) -> Option<Dpop> {
        self.inner.dpop()
    }

    async fn credentials_changed(&self) -> bool {
        self.inner.credentials_changed().await
    }
}

/// A token request in flight. Counts as failed if it is dropped, as the cache does at its deadline.
struct Attempt<'a> {
    counts: &'a Counts,
    succeeded: bool,
}

impl<'a> Attempt<'a> {
    fn start(counts: &'a Counts) -> Self {
        counts.started.fetch_add(1, Relaxed);
        Self {
            counts,
            succeeded: false,
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.counts.failed.fetch_add(1, Relaxed);
        }
    }
}
