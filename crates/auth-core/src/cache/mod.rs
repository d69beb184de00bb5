//! One token, kept and renewed.

mod copies;
mod fleet;
mod flight;
mod flights;
mod journey;
mod landing;
mod policy;
mod refusal;
mod sibling;
mod slot;
mod status;
mod sync;
mod task;

use std::{
    fmt,
    sync::{Arc, PoisonError, Weak, atomic},
};

use crate::{
    AccessToken, Authorization, Error, SharedTokenStore, TokenRequest, TokenSource,
    time::{AnyClock, Clock, Now},
};
use flights::Flights;
pub use policy::{RefreshPolicy, RefreshPolicyBuilder};
pub(crate) use refusal::Replacement;
use slot::Slot;
pub use status::Status;
use sync::{AtomicU64, Mutex};
#[cfg(auth_loom)]
pub use task::block_on;

/// Keeps one access token, and renews it before it ends.
///
/// With L the token's lifetime, counted from before it was asked for:
///
/// - a token is handed out until 5 % of L before its end (30 s at most, 1 s or L / 3 at least), and
///   never after
/// - from about 30 % of L before its end (an hour and forty minutes at most) a read also starts a renewal
///   in the background; nobody waits for it, and nobody sees it fail
/// - at most one token request is under way, and everybody who waits gets its outcome, success or
///   failure; it is a task of its own that no caller's end stops, and takes 10 s at most
/// - after a failure the next attempt waits: 1 s, then twice as long each time, up to 60 s (10 s
///   while there is no token); 30 s up to 5 min if the client was refused; what `Retry-After` says
///   wins, up to 60 s. Meanwhile callers without a usable token get the error at once
/// - a response that does not tell its lifetime is given 5 minutes
///
/// Clones are handles to the same token. Dropping the last one ends the request that is under way.
/// Construction needs no runtime; asking for a token needs tokio, with its timer enabled.
///
/// ```
/// # use auth_core::{ClientCredentials, Error, TokenCache};
/// # async fn example(credentials: ClientCredentials) -> Result<(), Error> {
/// let tokens = TokenCache::new(credentials);
/// let token = tokens.token().await?;
/// assert!(tokens.cached().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenCache {
    shared: Arc<Shared>,
}

struct Shared {
    slot: Slot,
    /// When a due read may next start a renewal, in nanoseconds of the monotonic clock: lets it
    /// pass without a lock while one is under way or backing off.
    next_renewal: AtomicU64,
    flights: Mutex<Flights>,
    /// Flights that asked the source. A figure for people: loom need not look at it.
    requests: atomic::AtomicU64,
    /// Operations of the shared store that failed.
    store_failures: atomic::AtomicU64,
    policy: RefreshPolicy,
    keep_warm: bool,
    clock: AnyClock,
    source: Arc<dyn TokenSource>,
    request: TokenRequest,
    store: Option<Arc<dyn SharedTokenStore>>,
}

impl TokenCache {
    /// A cache for the token that `source` mints by default.
    pub fn new(source: impl TokenSource) -> Self {
        Self::builder(source).build()
    }

    /// A cache for another token of `source`, or on another clock.
    pub fn builder(source: impl TokenSource) -> TokenCacheBuilder {
        TokenCacheBuilder {
            source: Arc::new(source),
            request: TokenRequest::default(),
            policy: RefreshPolicy::default(),
            keep_warm: false,
            clock: AnyClock::System,
            store: None,
        }
    }

    /// The current token's authorization, if there is a usable one: no lock, no waiting. If the
    /// token is due, it starts a renewal in the background.
    #[must_use]
    #[inline]
    pub fn cached(&self) -> Option<Authorization> {
        self.hit(self.now(), AccessToken::authorization)
    }

    /// The current token, or the next one.
    ///
    /// # Errors
    /// The outcome of the token request that failed, for everybody who waited for it and for those
    /// who come before the next attempt is due.
    pub async fn token(&self) -> Result<AccessToken, Error> {
        match self.hit(self.now(), AccessToken::clone) {
            Some(token) => Ok(token),
            None => self.shared.wait().await,
        }
    }

    /// What `read` makes of this thread's copy of the current token, if that is usable.
    #[inline(always)]
    pub(crate) fn hit<T>(&self, now: Now, read: impl FnOnce(&AccessToken) -> T) -> Option<T> {
        let (found, due) = self.shared.slot.usable(now, |entry| {
            (read(entry.token.mine()), now.reached(entry.life.refresh_at))
        })?;
        if due {
            self.shared.renew_in_background(now);
        }
        Some(found)
    }
}

impl TokenCache {
    /// How the cache fares, for health endpoints. Takes a lock: not for the path of a request.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Completes when no token request is under way and, with a
    /// [shared store](TokenCacheBuilder::shared_store), what came has been saved there; in
    /// any case 20 s after the time of an attempt, 10 s by default, is over. It needs a tokio runtime.
    ///
    /// For programs that end as soon as they have done their work. A token is handed out before it is
    /// saved; if the runtime ends in between, other processes do not find it, and wait until the lease
    /// of this one is over.
    pub async fn settled(&self) {
        self.shared.settled().await;
    }

    /// Forgets the last failure, so that the next request for a token is made at once: for somebody
    /// who has just put the configuration right. A usable token stays in use.
    pub fn reset(&self) {
        self.shared.forget_failure();
    }
}

/// A cache that this does not keep alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct WeakTokenCache(Weak<Shared>);

impl WeakTokenCache {
    fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    pub(crate) fn upgrade(&self) -> Option<TokenCache> {
        let shared = self.0.upgrade()?;
        Some(TokenCache { shared })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let flights = self.flights.get_mut();
        flights.unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("source", &self.shared.source)
            .field("request", &self.shared.request)
            .finish_non_exhaustive()
    }
}

/// Makes a [`TokenCache`].
#[derive(Clone, Debug)]
pub struct TokenCacheBuilder {
    source: Arc<dyn TokenSource>,
    request: TokenRequest,
    policy: RefreshPolicy,
    keep_warm: bool,
    clock: AnyClock,
    store: Option<Arc<dyn SharedTokenStore>>,
}

impl TokenCacheBuilder {
    /// What to ask for. Default: nothing in particular, so what the source asks for by itself.
    #[must_use]
    pub fn request(mut self, request: TokenRequest) -> Self {
        self.request = request;
        self
    }

    /// When to renew, and how patiently. Default: [`RefreshPolicy`]'s defaults.
    #[must_use]
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Renews the token on time even when nobody reads it, from the first request on, so that no
    /// reader after a quiet night waits. Default: it is renewed when it is used.
    ///
    /// The renewals run as a task in the runtime that the first request came from, and end with it
    /// or with the last handle of the cache; a read in another runtime takes over.
    #[must_use]
    pub fn keep_warm(mut self) -> Self {
        self.keep_warm = true;
        self
    }

    /// Shares the token with other processes, which use the same store: one of them asks for it, and
    /// all of them have it. Default: each asks for its own.
    ///
    /// The token is handed out before it is saved: a program that ends right after that waits until
    /// it is [settled](TokenCache::settled).
    ///
    /// The source has to say by what they recognise that it is the same token:
    /// [`TokenSource::shared_key`]. [`ClientCredentials`](crate::ClientCredentials) does.
    #[must_use]
    pub fn shared_store(mut self, store: impl SharedTokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The clock to measure by. Default: [`SystemClock`](crate::time::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = AnyClock::Custom(Arc::new(clock));
        self
    }

    /// The cache. It asks for no token before somebody needs one.
    #[must_use]
    pub fn build(self) -> TokenCache {
        TokenCache {
            shared: Arc::new(Shared {
                slot: Slot::default(),
                next_renewal: AtomicU64::new(0),
                flights: Mutex::default(),
                requests: atomic::AtomicU64::new(0),
                store_failures: atomic::AtomicU64::new(0),
                policy: self.policy,
                keep_warm: self.keep_warm,
                clock: self.clock,
                source: self.source,
                request: self.request,
                store: self.store,
            }),
        }
    }
}
