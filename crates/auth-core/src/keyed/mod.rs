//! Many tokens: one cache for each token request, and no more of them than it takes.

mod last_used;
mod limits;
mod map;
mod precomputed;

use std::{fmt, hash::BuildHasherDefault, sync::Arc, time::Duration};

use crate::{AccessToken, Authorization, Error, TokenCache, TokenRequest};
pub(crate) use limits::Limits;
pub(crate) use map::{Keyed, Value};
use precomputed::Precomputed;

/// A [`TokenCache`] for each [`TokenRequest`], all of one source, one policy and one clock.
///
/// It is made from a cache, which stays the one for requests that name no [`TokenRequest`], or that
/// cache's own. The others come as they are asked for, and leave:
///
/// - when nobody has used one for an hour
/// - when there are 10,000, the eighth of them that was least recently used
///
/// Both numbers can be [set](Self::builder). A cache that somebody holds a handle to, and so one
/// that somebody waits for, never leaves; if too many are held, there are more than the limit. What
/// is idle is searched for now and then, when one of them is used. A cache that leaves takes its
/// token along, and ends its token request or its keeping warm; the next to ask for it makes a new
/// cache, and a new token request.
///
/// Each backs off, and is renewed after refusals, by itself. If the cache it is made from shares its
/// token [with other processes](crate::TokenCacheBuilder::shared_store), so do the others.
///
/// A cache with a token of 900 characters takes about 2.4 kB.
///
/// A token is kept for a request as it was given. If a source fills in what that leaves open, as
/// [`ClientCredentials`](crate::ClientCredentials) does, two requests may come to the same in the
/// end: they still have a token each.
///
/// Clones are handles to the same caches.
///
/// ```
/// # use auth_core::{ClientCredentials, Error, TokenCache, TokenCaches, TokenRequest};
/// # async fn example(credentials: ClientCredentials) -> Result<(), Error> {
/// let tokens = TokenCaches::from(TokenCache::new(credentials));
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

type Others = Keyed<TokenRequest, TokenCache, BuildHasherDefault<Precomputed>>;

impl TokenCaches {
    /// Starts with the cache for requests that name no [`TokenRequest`].
    #[must_use]
    pub fn builder(default: TokenCache) -> TokenCachesBuilder {
        TokenCachesBuilder {
            default,
            limits: Limits::default(),
        }
    }

    /// The cache for requests that name no [`TokenRequest`]. It never leaves.
    #[must_use]
    #[inline]
    pub fn default_cache(&self) -> &TokenCache {
        &self.default
    }

    /// The cache for `request`; it stays for as long as somebody holds it. Takes a lock: on the path
    /// of a request look with [`cached`](Self::cached) first.
    #[must_use]
    pub fn cache(&self, request: &TokenRequest) -> TokenCache {
        if request == self.default.request() {
            return self.default.clone();
        }
        let make = || self.default.sibling(request.clone());
        self.others.handle(request, self.default.now(), make)
    }

    /// The authorization of the current token for `request`, if there is a usable one: no lock, no
    /// waiting. If the token is due, it starts a renewal in the background.
    #[must_use]
    #[inline]
    pub fn cached(&self, request: &TokenRequest) -> Option<Authorization> {
        self.hit(request, AccessToken::authorization)
    }

    /// What `read` makes of this thread's copy of the current token for `request`, if that is usable.
    #[inline(always)]
    pub(crate) fn hit<T>(
        &self,
        request: &TokenRequest,
        read: impl FnOnce(&AccessToken) -> T,
    ) -> Option<T> {
        let now = self.default.now();
        if request == self.default.request() {
            return self.default.hit(now, read);
        }
        self.others.read(request, now, |cache| cache.hit(now, read))
    }

    /// How many caches there are beside the default one.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }
}

impl TokenCaches {
    /// Whether somebody holds these caches, or one of them.
    pub(crate) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.others) > 1
            || self.default.is_shared()
            || self.others.any(Value::is_in_use)
    }

    /// Ends all their tasks.
    pub(crate) fn end(&self) {
        self.default.end();
        self.others.any(|cache| {
            cache.end();
            false
        });
    }
}

impl From<TokenCache> for TokenCaches {
    fn from(default: TokenCache) -> Self {
        Self {
            default,
            others: Arc::new(Keyed::new(Limits::default())),
        }
    }
}

impl Value for TokenCache {
    fn is_in_use(&self) -> bool {
        self.is_shared()
    }

    fn end(&self) {
        self.end();
    }
}

impl fmt::Debug for TokenCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCaches")
            .field("default", &self.default)
            .field("others", &self.others())
            .finish()
    }
}

/// Makes [`TokenCaches`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct TokenCachesBuilder {
    default: TokenCache,
    limits: Limits,
}

impl TokenCachesBuilder {
    /// The most caches to keep beside the default one. Default: 10,000.
    #[must_use]
    pub fn most(mut self, caches: usize) -> Self {
        self.limits.most = caches;
        self
    }

    /// How long to keep a cache after its last use. It may be a sixteenth longer, or 3 s if that is
    /// more. Default: 1 h.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.limits.idle = idle;
        self
    }

    /// The caches.
    ///
    /// # Errors
    /// If not a single cache may be kept, or none for a second.
    pub fn build(self) -> Result<TokenCaches, Error> {
        self.limits.check()?;
        Ok(TokenCaches {
            default: self.default,
            others: Arc::new(Keyed::new(self.limits)),
        })
    }
}
