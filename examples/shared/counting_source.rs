//! Counts the token requests that a source makes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use auth_core::{Error, TokenRequest, TokenResponse, TokenSource, async_trait};

/// Token requests so far, and how many of them failed. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenRequestCount(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    errors: AtomicU64,
}

impl TokenRequestCount {
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.load(Relaxed)
    }

    pub(crate) fn errors(&self) -> u64 {
        self.0.errors.load(Relaxed)
    }
}

/// Asks `inner`, and counts.
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
        let counts = &self.count.0;
        counts.requests.fetch_add(1, Relaxed);
        let fetched = self.inner.fetch(request).await;
        if fetched.is_err() {
            counts.errors.fetch_add(1, Relaxed);
        }
        fetched
    }
}
