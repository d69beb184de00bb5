//! Many tokens: a bounded map of caches, one for each token request.

mod last_used;
mod limits;
mod makers;
mod map;

use std::{
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{Authorization, Error, TokenCache, TokenRequest, cache::Issued};
pub(crate) use limits::Limits;
pub(crate) use makers::{Made, Makers};
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
/// # Limits for all caches together
///
/// At most 16 token requests are in flight at once, or as many as
/// [`max_concurrent_requests`](TokenCachesBuilder::max_concurrent_requests) sets. The others wait in
/// turn, by rank: the default cache, caches that have had a token, new ones, and those whose last token
/// request timed out or failed after more than 2 s. Within a rank the first to come is the first to be
/// sent. Every fourth turn goes to a lower rank. Each such slow failure of the last minute leaves one
/// more turn to the first two ranks, up to half of the turns. From then on the newest request is sent first. A waiting token
/// request that no caller waits for any more is not sent, unless it refreshes a usable token. The time
/// in the queue does not count as time of an attempt. Only if the token endpoint responds to none of the client's requests for the attempt
/// timeout plus 2 s, the requests that have waited as long fail with a timeout. With a shared store, a
/// fetch that waits for its turn holds no lease, and a fetch that waits for another process holds no
/// turn. A tenant's source is its own: each [tenant](crate::Authorizer::per_tenant) has its own
/// limit, so that the token endpoint of one tenant delays no other.
///
/// If the authorization server denies the client (`invalid_client`, `unauthorized_client`, or a 401
/// that does not concern the token request alone), the denied cache backs off, and the others request
/// tokens one at a time. After denials in three caches all caches back off: another scope or audience
/// would be denied as well. After the backoff one cache requests a token, and the others wait for the
/// outcome. A denial of a cache that has no token for these credentials yet leaves out the caches that
/// were issued one. If another cache is issued a token between two denials of one cache, the second
/// one concerns this cache alone. The first success, [`clear_backoff`](TokenCache::clear_backoff) on any of the caches, and
/// [changed credentials](crate::TokenSource::credentials_changed) end the backoff of all. After any
/// other failure a cache backs off independently of the others. Each cache replaces rejected tokens
/// independently of the others. If the default cache uses a
/// [shared store](crate::TokenCacheBuilder::shared_store), so do the others.
///
/// A cache with a token of 900 characters takes about 1.9 kB.
///
/// # The key
///
/// The key is the [effective request](crate::TokenSource::effective_request): the given
/// [`TokenRequest`], completed by the defaults of the source. Two given requests that become equal in
/// this way share one cache and one token, also if one of them is the request of the default cache.
/// A given request that differs from its effective request takes an entry of its own, of about
/// 100 bytes. There are at most four times as many of these entries as the capacity, and unused ones
/// are removed like caches.
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

struct Others {
    by_request: BoundedMap<TokenRequest, TokenCache, BuildHasherDefault<PrecomputedHash>>,
    /// The effective request of the default cache, once it was needed.
    default_request: OnceLock<TokenRequest>,
}

impl Others {
    fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            by_request: BoundedMap::new(limits),
            default_request: OnceLock::new(),
        })
    }
}

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
            max_concurrent_requests: None,
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
        let (now, caches) = (self.default.now(), &self.others.by_request);
        if let Some(cache) = caches.get(request, now) {
            return cache;
        }
        // the source's code runs under no lock
        let effective = self.default.effective_request(request);
        if effective == *self.default_request() {
            caches.alias(request, None, &self.default, now);
            return self.default.clone();
        }
        let make = || self.default.for_request(effective.clone());
        let cache = caches.handle(&effective, now, make);
        if effective != *request {
            caches.alias(request, Some(&effective), &cache, now);
        }
        cache
    }

    /// Returns the effective request of the default cache.
    fn default_request(&self) -> &TokenRequest {
        if let Some(request) = self.others.default_request.get() {
            return request;
        }
        // computed first, so that no other caller waits for the source's code
        let effective = self.default.effective_request(self.default.request());
        self.others.default_request.get_or_init(|| effective)
    }

    /// Returns the authorization of the current token for `request`, if there is a usable one.
    /// Takes no lock and never waits. If the token is stale, a refresh starts in the background.
    #[must_use]
    #[inline]
    pub fn cached(&self, request: &TokenRequest) -> Option<Authorization> {
        let now = self.default.now();
        if request == self.default.request() {
            return self.default.authorization(now);
        }
        let caches = &self.others.by_request;
        caches.read(request, now, |cache| cache.authorization(now))
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
        let caches = &self.others.by_request;
        caches.read(request, now, |cache| cache.hit(now, read))
    }

    /// Returns the number of caches beside the default one.
    #[must_use]
    pub fn additional_caches(&self) -> usize {
        self.others.by_request.len()
    }
}

impl TokenCaches {
    /// Returns whether a caller holds these caches, or one of them.
    pub(crate) fn is_in_use(&self) -> bool {
        if Arc::strong_count(&self.others) > 1 {
            return true;
        }
        let (others_are, aliases_of_default) = self.others.by_request.is_in_use();
        others_are || self.default.is_shared_beyond(1 + aliases_of_default)
    }

    /// Returns the effective request for `request`. Calls the source.
    pub(crate) fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        self.default.effective_request(request)
    }

    /// Applies `read` to the effective request for `request`. Calls the source only if no cache is
    /// known for `request`.
    pub(crate) fn with_effective_request<T>(
        &self,
        request: &TokenRequest,
        read: impl Fn(&TokenRequest) -> T,
    ) -> T {
        let own = self.default.request();
        if request == own {
            return read(self.default_request());
        }
        let known = self.others.by_request.peek(request, |cache| {
            let effective = cache.request();
            read(match effective == own {
                true => self.default_request(),
                false => effective,
            })
        });
        known.unwrap_or_else(|| read(&self.effective_request(request)))
    }

    /// Stops the tasks of all caches.
    pub(crate) fn stop(&self) {
        self.default.stop();
        self.others.by_request.for_each(TokenCache::stop);
    }
}

impl From<TokenCache> for TokenCaches {
    fn from(default: TokenCache) -> Self {
        Self {
            default,
            others: Others::new(Limits::default()),
        }
    }
}

impl Evictable for TokenCache {
    fn is_in_use(&self, handles: usize) -> bool {
        self.is_shared_beyond(handles)
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
    max_concurrent_requests: Option<usize>,
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

    /// Sets the maximum number of token requests that are in flight at once, of the default cache
    /// and all others together. It holds for all clones of the default cache. Default: 16.
    #[must_use]
    pub fn max_concurrent_requests(mut self, requests: usize) -> Self {
        self.max_concurrent_requests = Some(requests);
        self
    }

    /// Builds the caches.
    ///
    /// # Errors
    /// If the capacity or the maximum number of token requests is 0, or the time to idle is less than
    /// 1 s.
    pub fn build(self) -> Result<TokenCaches, Error> {
        self.limits.check()?;
        match self.max_concurrent_requests {
            Some(0) => {
                return Err(Error::configuration(
                    "max_concurrent_requests: expected at least 1, got 0",
                ));
            }
            Some(max) => self.default.set_max_concurrent_requests(max),
            None => {}
        }
        Ok(TokenCaches {
            default: self.default,
            others: Others::new(self.limits),
        })
    }
}
