//! Many tokens in one client, over a source that remembers what it was asked for.

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

/// The request for the token of one of many tenants, made anew.
fn tenant(number: usize) -> TokenRequest {
    let audience = format!("https://tenant-{number}.example.com");
    TokenRequest::builder().audience(audience).build().unwrap()
}

/// The header of the token that a read finds.
fn read(tokens: &TokenCaches, request: &TokenRequest) -> Option<String> {
    let authorization = tokens.cached(request)?;
    Some(authorization.header().to_str().unwrap().to_owned())
}

/// Waits for the token for `request`, and drops the handle.
async fn fill(tokens: &TokenCaches, request: &TokenRequest) -> String {
    let token = tokens.cache(request).token().await.unwrap();
    token.secret().to_owned()
}
