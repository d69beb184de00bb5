//! One token for a whole fleet: what a store has to do that processes share.

mod key;
mod token;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::Error;
pub use key::SharedKey;
pub use token::SharedToken;

/// A store that processes share, so that one of them asks for a token and all of them use it.
///
/// [`TokenCacheBuilder::shared_store`](crate::TokenCacheBuilder::shared_store) takes one. A cache
/// that needs a token looks for one that another process has [saved](Self::save); if there is none,
/// it takes the [lease](Self::lease), asks the token endpoint, and saves what came. Without the
/// lease it waits until something [changed](Self::changed), for three quarters of the time that
/// the attempt may take; then one of those who wait asks, under a lease for that, and the others go
/// on waiting for the rest of the time. Who fails for a reason that may pass gives the lease back
/// only when it would try again itself, and after 10 s at most. Each cache judges a token by its own
/// clock and policy: the store need not know which are worth having.
///
/// A store is never on the path of a request that finds its token in the process, and no request
/// fails because of it: an operation that takes longer than [`patience`](Self::patience), fails or
/// panics is told by a warning, and the cache carries on without.
///
/// What a store keeps are credentials. Whoever can read them can use them; whoever can write them
/// can make others send theirs.
///
/// `auth-redis` has one in Redis. For those who write another, `check_shared_store` of
/// `auth-testing` takes it through all that is said here, and its `MemoryStore` is one in 300 lines.
/// Several caches of a process share a store by an [`Arc`]:
///
/// ```
/// use std::sync::Arc;
/// use auth_core::{SharedTokenStore, TokenCache, TokenSource};
///
/// # fn example(orders: impl TokenSource, invoices: impl TokenSource, store: impl SharedTokenStore) {
/// let store: Arc<dyn SharedTokenStore> = Arc::new(store);
/// let orders = TokenCache::builder(orders).shared_store(store.clone()).build();
/// let invoices = TokenCache::builder(invoices).shared_store(store).build();
/// # }
/// ```
#[async_trait]
pub trait SharedTokenStore: fmt::Debug + Send + Sync + 'static {
    /// The token saved last under `key`, if it has not ended.
    ///
    /// A value that cannot be read counts as none.
    ///
    /// # Errors
    /// If the store cannot tell.
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error>;

    /// Keeps `token` until it ends, unless there is one that was issued later. Wakes those who wait
    /// in [`changed`](Self::changed).
    ///
    /// # Errors
    /// If it is not certain to be kept.
    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error>;

    /// Asks to be the only one who requests a token for `key`. `None`: another one is.
    ///
    /// A lease ends by itself some seconds after its holder has stopped [holding](Lease::hold) it:
    /// the holder may have died. In `auth-redis` it is 5 s.
    ///
    /// # Errors
    /// If the store cannot tell.
    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error>;

    /// Completes when a token may have been saved under `key`, or when nobody holds its lease; at
    /// once if nobody does. It may complete for no reason.
    ///
    /// # Errors
    /// If the store cannot tell.
    async fn changed(&self, key: &SharedKey) -> Result<(), Error>;

    /// How long an operation may take at this moment. Default: 250 ms.
    ///
    /// It is asked for before each operation: a store may want more before it is connected. Before
    /// a token request it is cut to a quarter of what the attempt has left; to save a token and to
    /// give a lease back, which nobody waits for, may take four times as long.
    ///
    /// It does not apply to [`changed`](Self::changed), which waits for somebody.
    fn patience(&self) -> Duration {
        Duration::from_millis(250)
    }
}

/// The right to request a token, for a while.
#[async_trait]
pub trait Lease: fmt::Debug + Send + Sync + 'static {
    /// Renews the lease for as long as it is polled. It never completes, whatever happens: a holder
    /// that has lost its lease finishes what it has begun.
    async fn hold(&self);

    /// Gives the lease back, if it is still ours, and wakes those who wait for it.
    ///
    /// # Errors
    /// If it is not certain to be given back. It ends by itself then.
    async fn release(self: Box<Self>) -> Result<(), Error>;

    /// Gives the lease back, if it is still ours, but to nobody before `pause` is over, 10 s at most:
    /// the token request has failed, and would fail for the next one as well.
    ///
    /// # Errors
    /// If that is not certain to last so long.
    async fn release_after(self: Box<Self>, pause: Duration) -> Result<(), Error>;
}

#[async_trait]
impl<S: SharedTokenStore + ?Sized> SharedTokenStore for Arc<S> {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        (**self).load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        (**self).save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        (**self).lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        (**self).changed(key).await
    }

    fn patience(&self) -> Duration {
        (**self).patience()
    }
}
