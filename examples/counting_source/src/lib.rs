//! Counts the token requests that a source makes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use auth_core::{Error, SharedKey, TokenRequest, TokenResponse, TokenSource, async_trait};

/// Token requests so far, and how many of them failed. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct TokenRequestCount(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    errors: AtomicU64,
}

impl TokenRequestCount {
    /// How many token requests were started.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Relaxed)
    }

    /// How many of them failed or were given up.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.0.errors.load(Relaxed)
    }
}

/// Asks `inner`, and counts.
#[derive(Debug)]
pub struct CountingSource<S> {
    inner: S,
    count: TokenRequestCount,
}

impl<S: TokenSource> CountingSource<S> {
    /// Counts the token requests of `inner` in `count`.
    pub fn new(inner: S, count: TokenRequestCount) -> Self {
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
}

/// One that is dropped on its way, as the cache does when it takes too long, has failed as well.
struct Attempt<'a> {
    counts: &'a Counts,
    succeeded: bool,
}

impl<'a> Attempt<'a> {
    fn start(counts: &'a Counts) -> Self {
        counts.requests.fetch_add(1, Relaxed);
        Self {
            counts,
            succeeded: false,
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.counts.errors.fetch_add(1, Relaxed);
        }
    }
}
