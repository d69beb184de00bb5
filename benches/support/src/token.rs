//! A token of realistic size, and a cache that has it.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use auth_core::{Error, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait};
use bytes::Bytes;
use http::HeaderValue;
use tokio::runtime::Builder;

/// The length of a signed JWT with a few claims, in characters.
pub const TOKEN_LENGTH: usize = 900;

pub fn token() -> String {
    "x".repeat(TOKEN_LENGTH)
}

/// Returns the header, in memory of its own.
pub fn header() -> HeaderValue {
    let bytes = Bytes::from(format!("Bearer {}", token()).into_bytes());
    let mut header = HeaderValue::from_maybe_shared(bytes).unwrap();
    header.set_sensitive(true);
    // the first clone allocates the reference count
    drop(header.clone());
    header
}

/// Issues a token that lives for an hour, at once.
#[derive(Debug)]
pub struct Instantly;

#[async_trait]
impl TokenSource for Instantly {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        Ok(TokenResponse::bearer(token())?.with_expires_in(Duration::from_secs(3600)))
    }
}

/// Returns a cache that has a token.
pub fn ready_cache() -> TokenCache {
    let tokens = TokenCache::new(Instantly);
    fill(&tokens);
    tokens
}

/// Waits for the cache's first token.
pub fn fill(tokens: &TokenCache) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
}

/// Returns the output of a future that does not wait.
pub fn ready_now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("expected an outcome at once"),
    }
}
