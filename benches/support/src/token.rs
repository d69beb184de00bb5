//! A token of a real one's size, and a cache that has it.

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

/// A signed JWT with a handful of claims has about so many characters.
pub const TOKEN_LENGTH: usize = 900;

pub fn token() -> String {
    "x".repeat(TOKEN_LENGTH)
}

/// The header in memory of its own.
pub fn header() -> HeaderValue {
    let bytes = Bytes::from(format!("Bearer {}", token()).into_bytes());
    let mut header = HeaderValue::from_maybe_shared(bytes).unwrap();
    header.set_sensitive(true);
    // makes the count that a first clone would make
    drop(header.clone());
    header
}

/// Mints a token that lives for an hour, at once.
#[derive(Debug)]
pub struct Instantly;

#[async_trait]
impl TokenSource for Instantly {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        Ok(TokenResponse::bearer(token())?.with_expires_in(Duration::from_secs(3600)))
    }
}

/// A cache whose token is there.
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

/// The outcome of a future that does not wait.
pub fn ready_now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("expected an outcome at once"),
    }
}
