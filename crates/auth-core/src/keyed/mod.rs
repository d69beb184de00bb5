//! Many tokens: a bounded map of caches, one for each token request.

mod last_used;
mod limits;
mod map;

use std::{
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
    time::Duration,
};

use crate::{Authorization, Error, TokenCache, TokenRequest, cache::Issued};
pub(crate) use limits::Limits;
pub(crate) use map::{BoundedMap, Evictable};

/// A [`TokenCache`] for each [`TokenRequest`], all of one source, one policy and one clock.
///
/// It is made from one cache, the default cache. Requests that name no [`TokenRequest`], or that
/// cache's own, use the default cache. The others are created when first used, and evicted:
///
/// - an hour after their last use
/// - when there are more than 10,000: the least recently used eighth
///
/// Both numbers can be [set](Self::builder). A cache in use, to which a caller holds a handle or
/// for whose token a caller waits, is never evicted: with too many caches in use, the capacity is
/// exceeded. The search for idle caches runs at intervals, when one of the caches is used. An
/// evicted cache drops its token, and stops its token request and its background refreshes. The
/// next use creates a new cache, which requests a new token.
///
/// Each cache backs off, and replaces rejected tokens, independently of the others. If the default
/// cache uses a [shared store](crate::TokenCacheBuilder::shared_store), so do the others.
///
/// A cache with a token of 900 characters takes about 2.6 kB.
///
/// The key is the [`TokenRequest`] as given. A source may complete it with defaults, as
/// [`ClientCredentials`](crate::ClientCredentials) does. Two requests that become equal in this way
/// still have one token each.
///
/// Clones are handles to the same caches.
///
/// ```
/// # use auth_core::{ClientCredentials, Error, TokenCache, TokenCaches, TokenRequest};
/// # async fn example(grant: ClientCredentials) -> Result<(), Error> {
/// let tokens = TokenCaches::from(TokenCache::new(grant));
/// let orders = TokenRequest::builder().audience("https://orders.example.com").build()?;
/// let token = tokens.cache(&orders).token().await?;
/// assert!(tokens.cached(&orders).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenCaches {
    default: TokenCache,
    others: Arc<Others>,
}

type Others = BoundedMap<TokenRequest, TokenCache, BuildHasherDefault<PrecomputedHash>>;

/// The hasher for [`TokenRequest`], whose hash is already computed: returns that number.
#[derive(Clone, Copy, Debug, Default)]
struct PrecomputedHash(u64);

impl Hasher for PrecomputedHash {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Not called for a [`TokenRequest`]. Hashes the bytes, as the trait requires.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

impl TokenCaches {
    /// Starts with the default cache.
    #[must_use]
    pub fn builder(default: TokenCache) -> TokenCachesBuilder {
        TokenCachesBuilder {
            default,
            limits: Limits::default(),
        }
    }

    /// Returns the cache for requests that name no [`TokenRequest`]. It is never evicted.
    #[must_use]
    #[inline]
    pub fn default_cache(&self) -> &TokenCache {
        &self.default
    }

    /// Returns the cache for `request`, which is not evicted while the caller holds the handle.
    /// Takes a lock: on the path of a request, try [`cached`](Self::cached) first.
    #[must_use]
    pub fn cache(&self, request: &TokenRequest) -> TokenCache {
        if request == self.default.request() {
            return self.default.clone();
        }
        let make = || self.default.for_request(request.clone());
        self.others.handle(request, self.default.now(), make)
    }

    /// Returns the authorization of the current token for `request`, if there is a usable one.
    /// Takes no lock and never waits. If the token is stale, a refresh starts in the background.
    #[must_use]
    #[inline]
    pub fn cached(&self, request: &TokenRequest) -> Option<Authorization> {
        self.hit(request, Issued::authorization)
    }

    /// Applies `read` to this thread's copy of the current token for `request`, if the token is
    /// usable.
    #[inline(always)]
    pub(crate) fn hit<T>(
        &self,
        request: &TokenRequest,
        read: impl FnOnce(&Issued) -> T,
    ) -> Option<T> {
        let now = self.default.now();
        if request == self.default.request() {
            return self.default.hit(now, read);
        }
        self.others.read(request, now, |cache| cache.hit(now, read))
    }

    /// Returns the number of caches beside the default one.
    #[must_use]
    pub fn additional_caches(&self) -> usize {
        self.others.len()
    }
}

impl TokenCaches {
    /// Returns whether a caller holds these caches, or one of them.
    pub(crate) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.others) > 1
            || self.default.is_shared()
            || self.others.any(Evictable::is_in_use)
    }

    /// Stops the tasks of all caches.
    pub(crate) fn stop(&self) {
        self.default.stop();
        self.others.any(|cache| {
            cache.stop();
            false
        });
    }
}

impl From<TokenCache> for TokenCaches {
    fn from(default: TokenCache) -> Self {
        Self {
            default,
            others: Arc::new(BoundedMap::new(Limits::default())),
        }
    }
}

impl Evictable for TokenCache {
    fn is_in_use(&self) -> bool {
        self.is_shared()
    }

    fn evicted(&self) {
        self.stop();
    }
}

impl fmt::Debug for TokenCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCaches")
            .field("default", &self.default)
            .field("additional_caches", &self.additional_caches())
            .finish()
    }
}

/// Builds [`TokenCaches`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct TokenCachesBuilder {
    default: TokenCache,
    limits: Limits,
}

impl TokenCachesBuilder {
    /// Sets the maximum number of caches beside the default one. Default: 10,000.
    #[must_use]
    pub fn max_capacity(mut self, caches: usize) -> Self {
        self.limits.max_capacity = caches;
        self
    }

    /// Sets how long to keep a cache after its last use. It may be kept a sixteenth longer, or 3 s
    /// if that is more. Default: 1 h.
    #[must_use]
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.limits.time_to_idle = time;
        self
    }

    /// Builds the caches.
    ///
    /// # Errors
    /// If the capacity is 0, or the time to idle is less than 1 s.
    pub fn build(self) -> Result<TokenCaches, Error> {
        self.limits.check()?;
        Ok(TokenCaches {
            default: self.default,
            others: Arc::new(BoundedMap::new(self.limits)),
        })
    }
}
