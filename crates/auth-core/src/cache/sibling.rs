//! Caches that share a source, a policy and a clock: what a map of caches is made of.

use std::sync::Arc;

use super::TokenCache;
use crate::{TokenRequest, time::Now};

impl TokenCache {
    /// A cache for another token of the same source.
    pub(crate) fn sibling(&self, request: TokenRequest) -> Self {
        let cache = &self.shared;
        super::TokenCacheBuilder {
            source: Arc::clone(&cache.source),
            request,
            policy: cache.policy.clone(),
            keep_warm: cache.keep_warm,
            store: cache.store.clone(),
            clock: cache.clock.clone(),
        }
        .build()
    }

    /// What its token is asked for by.
    #[inline]
    pub(crate) fn request(&self) -> &TokenRequest {
        &self.shared.request
    }

    /// Its clock's time.
    #[inline]
    pub(crate) fn now(&self) -> Now {
        self.shared.clock.now()
    }

    /// Whether there is another handle, or the outcome of a token request is just being taken in.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }

    /// Ends its task, under way or waiting to keep the token warm, as the drop of the last handle
    /// does.
    pub(crate) fn end(&self) {
        self.shared.flights().abort();
    }
}
