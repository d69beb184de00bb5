//! The public handle of a cache, and its builder.

use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    changes::{Publisher, TokenChanges},
    client::{Client, Settings},
    inner::{CacheId, Counters, Inner, Issued, NotBefore},
    policy::RefreshPolicy,
    reading::Reading,
    rejection::Replacement,
    slot::Slot,
    status::CacheStatus,
    sync::Mutex,
};
use crate::{
    AccessToken, Authorization, Error, TokenRequest, TokenSource,
    shared_store::SharedTokenStore,
    time::{AnyClock, Clock, Now},
};

/// Caches one access token, and refreshes it before it expires.
///
/// - A fresh token is returned at once. Reading it takes no lock.
/// - A stale token is returned at once as well, and one refresh runs in the background. A failed
///   refresh is invisible to callers while the token is usable.
/// - An expired token is never returned. Callers then wait for a token request.
/// - At most one token request is in flight. Every waiter receives its outcome, success or failure.
///   The request runs in a task of its own, which a dropped caller does not stop once it was sent.
/// - After a failure callers without a usable token receive the error at once, until the next
///   attempt is due.
///
/// The [`RefreshPolicy`] determines when a token becomes stale and expires, how long an attempt may
/// take and how failures back off. It documents the defaults.
///
/// Clones are handles to the same token. Dropping the last handle stops the request in flight.
/// A cache can be built outside a runtime. Requesting a token needs a tokio runtime with its timer
/// enabled.
///
/// ```
/// # use auth_core::{ClientCredentials, Error, TokenCache};
/// # async fn example(grant: ClientCredentials) -> Result<(), Error> {
/// let tokens = TokenCache::new(grant);
/// let token = tokens.token().await?;
/// assert!(tokens.cached().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenCache {
    inner: Arc<Inner>,
}

impl TokenCache {
    /// Creates a cache for the default token of `source`.
    pub fn new(source: impl TokenSource) -> Self {
        Self::builder(source).build()
    }

    /// Starts to build a cache for the tokens of `source`.
    pub fn builder(source: impl TokenSource) -> TokenCacheBuilder {
        TokenCacheBuilder {
            source: Arc::new(source),
            request: TokenRequest::default(),
            settings: Settings::default(),
            clock: AnyClock::System,
        }
    }

    /// Returns the authorization of the current token, if there is a usable one. Takes no lock and
    /// never waits. If the token is stale, a refresh starts in the background.
    #[must_use]
    #[inline]
    pub fn cached(&self) -> Option<Authorization> {
        self.authorization(self.now())
    }

    /// Returns the current token, or waits for the next one.
    ///
    /// # Errors
    /// The error of the token request that failed. Every waiter receives it, and so does every
    /// caller until the next attempt is due.
    #[inline]
    pub fn token(&self) -> impl Future<Output = Result<AccessToken, Error>> + Send {
        Reading::new(&self.inner, |inner| {
            inner.wait(|issued| issued.token().clone())
        })
    }

    /// Reports that an API rejected `token`, and returns its replacement.
    ///
    /// The adapters do this for HTTP responses. Call it where no adapter sees the rejection: a
    /// Kafka or AMQP broker, a WebSocket, a long stream. A thousand rejections of one token cause
    /// one token request. Rejections of a token that has been replaced already cause none. An API
    /// that rejects every token brings at most four tokens in a row, and one more every
    /// 30 s: the rejection budget, which HTTP responses that reject the token without the error
    /// `invalid_token` use as well. The last of the four is kept for a token that was rejected and
    /// that no API has accepted for 1 s. A token request that fails backs off, and
    /// does not use the budget unless an API has accepted the token after a rejection. A replacement that is itself rejected within 30 s causes no token
    /// request, unless the token endpoint has returned the rejected token once more: then it is
    /// asked again after 1 s, 2 s, 4 s, … Call this inside a tokio runtime: outside one nothing can request a token.
    ///
    /// ```
    /// use auth_core::{AccessToken, Replacement, TokenCache};
    ///
    /// # struct Socket;
    /// # enum Closed { Unauthorized, Normally }
    /// # impl Socket {
    /// #     async fn connect(_: &AccessToken) -> Self { Self }
    /// #     async fn run(&mut self) -> Closed { Closed::Normally }
    /// # }
    /// /// Runs a WebSocket, and reconnects with another token when the server rejects this one.
    /// async fn run(tokens: &TokenCache) -> Result<(), Box<dyn std::error::Error>> {
    ///     let mut token = tokens.token().await?;
    ///     loop {
    ///         let mut socket = Socket::connect(&token).await;
    ///         match socket.run().await {
    ///             Closed::Normally => return Ok(()),
    ///             Closed::Unauthorized => {}
    ///         }
    ///         token = match tokens.reject(&token) {
    ///             Replacement::Ready(token) => token,
    ///             Replacement::Pending(token) => token.token().await.ok_or("no other token")?,
    ///             Replacement::Unavailable => return Err("the server rejects every token".into()),
    ///         };
    ///     }
    /// }
    /// ```
    pub fn reject(&self, token: &AccessToken) -> Replacement {
        self.inner.replacement(token)
    }

    /// Returns a receiver of each new token: for connections that outlive a token and have to
    /// present the next one, such as a Kafka client that reauthenticates.
    ///
    /// A receiver causes no token request, and does not keep the cache alive. Combine it with
    /// [`keep_warm`](TokenCacheBuilder::keep_warm), or with reads.
    ///
    /// ```
    /// use auth_core::{Error, TokenCache};
    ///
    /// # struct Broker;
    /// # impl Broker { async fn authenticate(&self, _: &str) {} }
    /// /// Presents each token to the broker, until the last handle of the cache is dropped.
    /// async fn authenticate(tokens: TokenCache, broker: Broker) -> Result<(), Error> {
    ///     let mut changes = tokens.changes();
    ///     broker.authenticate(tokens.token().await?.secret()).await;
    ///     drop(tokens);
    ///     while let Some(token) = changes.changed().await {
    ///         broker.authenticate(token.secret()).await;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn changes(&self) -> TokenChanges {
        let mut state = self.inner.state();
        let publisher = state.changes.get_or_insert_with(Publisher::new).clone();
        let current = self
            .inner
            .slot
            .current(|cached| cached.token.original().token().clone());
        drop(state);
        if let Some(token) = current {
            publisher.publish(&token);
        }
        publisher.subscribe()
    }

    /// Returns the state of the cache, for health endpoints. Takes a lock: do not call it for each
    /// request.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        self.inner.status()
    }

    /// Waits until the token request in flight, if any, has finished and its token has been saved
    /// to the [shared store](TokenCacheBuilder::shared_store). Gives up after the attempt timeout
    /// plus 20 s (30 s by default). Needs a tokio runtime.
    ///
    /// Call this before a short-lived program exits: tokens are handed out before they are saved.
    /// If the runtime ends in between, other processes wait until the lease of this one ends.
    pub async fn flush(&self) {
        self.inner.flush().await;
    }

    /// Revokes the current token at the authorization server
    /// ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)), and drops it: at the end of a program whose
    /// token should not outlive it. Without a token nothing is done. A later read requests another token.
    ///
    /// The source has to know how: see
    /// [`revocation_endpoint`](crate::TokenEndpointBuilder::revocation_endpoint) and
    /// [`TokenSource::revoke`].
    ///
    /// 1. It waits as [`flush`](Self::flush) does, for a token request in flight and for the token to be
    ///    saved. A program therefore need not flush before.
    /// 2. It removes the token from the [shared store](TokenCacheBuilder::shared_store), if the store
    ///    holds this one. **Other processes that use the token already see it rejected**, and each
    ///    requests another one or loads it: revoke a shared token only with the last process.
    /// 3. It revokes the token. A connection that fails before a response is tried once more. If the
    ///    server asks to repeat the revocation later (503 with `Retry-After`), it waits and repeats it,
    ///    within the attempt timeout.
    /// 4. It drops the token, unless another one has replaced it meanwhile. A cache that is
    ///    [kept warm](TokenCacheBuilder::keep_warm) requests none before a caller needs one.
    ///
    /// Steps 2 and 3 take at most the attempt timeout (10 s by default), and step 1 as long as `flush`.
    /// Stop the program's requests before: while they run, the cache may obtain another token.
    ///
    /// # Errors
    /// If the token may not have been revoked; the cache then keeps it. After a 503 it is still valid,
    /// and [`Error::server_retry_after`] returns how long the server asked to wait. A
    /// [`Configuration`](crate::ErrorKind::Configuration) error if the source cannot revoke tokens. A
    /// [`NoRuntime`](crate::ErrorKind::NoRuntime) error outside a tokio runtime.
    ///
    /// ```
    /// # use auth_core::{Error, TokenCache};
    /// # async fn run(_: &TokenCache) {}
    /// # async fn example(tokens: TokenCache) {
    /// run(&tokens).await;
    /// if let Err(error) = tokens.revoke().await {
    ///     eprintln!("the token remains valid until it expires: {error}");
    /// }
    /// # }
    /// ```
    pub async fn revoke(&self) -> Result<(), Error> {
        self.inner.revoke().await
    }

    /// Ends the backoff after a failure, so that the next caller without a usable token requests
    /// one at once. Call this after the configuration has been corrected. A usable token stays in
    /// use. If the authorization server denied the client, the backoff of all caches of
    /// [`TokenCaches`](crate::TokenCaches) ends.
    pub fn clear_backoff(&self) {
        self.inner.clear_backoff();
    }
}

/// For other modules of this crate.
impl TokenCache {
    /// Applies `read` to this thread's copy of the current token, if the token is usable.
    #[inline(always)]
    pub(crate) fn hit<R>(&self, now: Now, read: impl FnOnce(&Issued) -> R) -> Option<R> {
        self.inner.hit(now, read)
    }

    /// Returns the authorization of the current token, if the token is usable.
    #[inline]
    pub(crate) fn authorization(&self, now: Now) -> Option<Authorization> {
        self.inner.authorization(now)
    }

    /// Waits for a token, after [`hit`](Self::hit) has found none.
    pub(crate) async fn wait(&self) -> Result<Issued, Error> {
        self.inner.wait(Issued::clone).await
    }

    /// Creates a cache for another token of the same source.
    pub(crate) fn for_request(&self, request: TokenRequest) -> Self {
        let Inner { client, clock, .. } = &*self.inner;
        Self::of_client(Arc::clone(client), request, clock.clone(), false)
    }

    fn of_client(
        client: Arc<Client>,
        request: TokenRequest,
        clock: AnyClock,
        is_default: bool,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                slot: Slot::default(),
                next_refresh: NotBefore::default(),
                state: Mutex::default(),
                counters: Counters::default(),
                is_default,
                clock,
                client,
                request,
                id: CacheId::next(),
            }),
        }
    }

    /// Sets the maximum number of token requests in flight at once, of all caches of the source.
    pub(crate) fn set_max_concurrent_requests(&self, max: usize) {
        self.inner.client.set_limit(max);
    }

    /// Returns the source's effective request for `request`. A source that panics changes nothing.
    pub(crate) fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        let source = self.inner.client.source();
        let effective = catch_unwind(AssertUnwindSafe(|| source.effective_request(request)));
        effective.unwrap_or_else(|_panic| request.clone())
    }

    /// Returns the cache's token request.
    #[inline]
    pub(crate) fn request(&self) -> &TokenRequest {
        &self.inner.request
    }

    /// Returns the time of the cache's clock.
    #[inline]
    pub(crate) fn now(&self) -> Now {
        self.inner.clock.now()
    }

    /// Returns the cache's clock.
    pub(crate) fn clock(&self) -> &AnyClock {
        &self.inner.clock
    }

    /// Returns whether there are more than `handles`, or the result of a fetch is being recorded.
    pub(crate) fn is_shared_beyond(&self, handles: usize) -> bool {
        Arc::strong_count(&self.inner) > handles
    }

    /// Stops the cache's task, as dropping the last handle does.
    pub(crate) fn stop(&self) {
        self.inner.state().abort();
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("source", self.inner.client.source())
            .field("request", &self.inner.request)
            .finish_non_exhaustive()
    }
}

/// Builds a [`TokenCache`].
#[derive(Clone, Debug)]
pub struct TokenCacheBuilder {
    source: Arc<dyn TokenSource>,
    request: TokenRequest,
    settings: Settings,
    clock: AnyClock,
}

impl TokenCacheBuilder {
    /// Sets the token request. Default: an empty one, which the source completes with its defaults.
    #[must_use]
    pub fn request(mut self, request: TokenRequest) -> Self {
        self.request = request;
        self
    }

    /// Sets when to refresh and how to back off. Default: the defaults of [`RefreshPolicy`].
    #[must_use]
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// Refreshes the token on time even when no request reads it, once a first request has obtained
    /// it. The first request after an idle period therefore does not wait. Default: a token is
    /// refreshed when it is read.
    ///
    /// The refreshes run as a task in the tokio runtime of the first request. They end with that
    /// runtime, or with the last handle of the cache. After the runtime has ended, the next read in
    /// another runtime starts them again.
    #[must_use]
    pub fn keep_warm(mut self) -> Self {
        self.settings.keep_warm = true;
        self
    }

    /// Shares the token with the other processes that use the same store: one of them requests it,
    /// and all use it. Default: each process requests its own.
    ///
    /// A token is handed out before it is saved: a short-lived program calls
    /// [`flush`](TokenCache::flush) before it exits.
    ///
    /// The source has to implement [`TokenSource::shared_key`], as
    /// [`ClientCredentials`](crate::ClientCredentials) does.
    #[must_use]
    pub fn shared_store(mut self, store: impl SharedTokenStore) -> Self {
        self.settings.store = Some(Arc::new(store));
        self
    }

    /// Sets the clock. Default: [`SystemClock`](crate::time::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = AnyClock::Custom(Arc::new(clock));
        self
    }

    /// Builds the cache. It requests no token before a caller needs one.
    #[must_use]
    pub fn build(self) -> TokenCache {
        let Self {
            source,
            request,
            settings,
            clock,
        } = self;
        let client = Client::new(source, settings, clock.clone());
        TokenCache::of_client(client, request, clock, true)
    }
}
