//! `TokenCaches`, with a token source that records its token requests.

mod capacity;
mod sharing;
mod single_flight;
mod source;

use auth_core::{TokenCache, TokenCaches, TokenRequest};
use auth_testing::ManualClock;

use self::source::Register;

fn caches(source: &Register, clock: &ManualClock) -> TokenCaches {
    TokenCaches::from(default_cache(source, clock))
}

fn default_cache(source: &Register, clock: &ManualClock) -> TokenCache {
    let builder = TokenCache::builder(source.clone());
    builder.clock(clock.clone()).build()
}

/// Builds the token request of a tenant.
fn tenant(number: usize) -> TokenRequest {
    let audience = format!("https://tenant-{number}.example.com");
    TokenRequest::builder().audience(audience).build().unwrap()
}

/// Returns the header of the cached token.
fn read(tokens: &TokenCaches, request: &TokenRequest) -> Option<String> {
    let authorization = tokens.cached(request)?;
    Some(authorization.header().to_str().unwrap().to_owned())
}

/// Waits for the token of `request`, and drops the handle of its cache.
async fn fill(tokens: &TokenCaches, request: &TokenRequest) -> String {
    let token = tokens.cache(request).token().await.unwrap();
    token.secret().to_owned()
}
