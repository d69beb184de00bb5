//! Whose wait for a token it is.

/// The need of one cache for a token: from the time at which the cache has to get one until it has got
/// it. Failed attempts in between belong to the same need.
///
/// A store that bounds the wait for leases counts the time of each need by itself. The processes that
/// hold the leases, and clients that write to the store, have no influence on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Need {
    cache: u64,
    number: u64,
}

impl Need {
    /// Creates a need. `cache` identifies the cache in its process, and `number` the need in its cache.
    #[must_use]
    pub fn new(cache: u64, number: u64) -> Self {
        Self { cache, number }
    }

    /// Returns what identifies the cache in its process.
    #[must_use]
    pub fn cache(&self) -> u64 {
        self.cache
    }
}
