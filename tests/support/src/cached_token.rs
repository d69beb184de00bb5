//! An authorizer whose token is cached, and a client that counts the requests with it: for the cost of a
//! request that finds its token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{Authorizer, ReplayMethods, TokenCache};
use auth_testing::ManualClock;
use http::{HeaderMap, header::AUTHORIZATION};
use tokio::runtime::Builder;

use crate::scripted::Scripted;

/// A URL of the API.
pub const API: &str = "https://api.example.com/orders";

/// Returns an authorizer for the API, whose cached token is `t1`. Runs the token request in a runtime of its
/// own, which has ended.
pub fn authorizer(methods: ReplayMethods) -> Authorizer {
    let tokens = TokenCache::builder(Scripted::expires_in(600)).clock(ManualClock::new());
    let tokens = tokens.build();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
    let builder = Authorizer::builder(tokens).origin("https://api.example.com");
    builder.replay_methods(methods).build().unwrap()
}

/// Counts the requests that carried the token.
#[derive(Clone, Debug, Default)]
pub struct Carried(Arc<AtomicUsize>);

impl Carried {
    /// Counts a request with these headers.
    pub fn count(&self, headers: &HeaderMap) {
        let carried = headers.get(AUTHORIZATION);
        let carried = carried.is_some_and(|value| value == "Bearer t1");
        self.0.fetch_add(usize::from(carried), SeqCst);
    }

    /// Returns the number of requests.
    pub fn requests(&self) -> usize {
        self.0.load(SeqCst)
    }
}
