//! The interface of a store that processes share.

mod key;
mod need;
mod token;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::Error;
pub use key::SharedKey;
pub(crate) use need::Need;
pub use token::SharedToken;

/// For `auth-redis` and `auth-jose`. Not part of the public API.
#[doc(hidden)]
pub mod internal {
    pub use crate::{
        client_secret::{check_secret, current_secret, is_rotating},
        error::transient,
        event_limit::EventLimit,
        secret_file::{SecretFile, ShownPath, open_to_others},
        shared_store::need::Need,
    };
}

/// A store that processes share, so that one process requests a token and all of them use it.
///
/// [`TokenCacheBuilder::shared_store`](crate::TokenCacheBuilder::shared_store) takes one. A cache
/// that needs a token proceeds as follows:
///
/// 1. It [loads](Self::load) the token that another process has saved. If it can use
///    that token, it does.
/// 2. It acquires the [lease](Self::lease), requests a token, [saves](Self::save) it, and returns
///    the lease.
/// 3. If another process holds the lease, the cache waits for [changes](Self::changed), for up to ¾
///    of its attempt timeout (7.5 s by default, longer than the lease of a crashed holder lasts). If
///    no token has been saved by then, one waiting process acquires a second, *fallback* lease and
///    requests the token itself. The others wait for the rest of their attempt timeout. An
///    unresponsive authorization server therefore sees at most two concurrent requests.
///
/// The caches of one [`TokenCaches`](crate::TokenCaches) send a limited number of token requests at
/// once. A cache that waits for its turn looks once for a saved token, and holds no lease. A cache that
/// waits for another process holds no turn.
///
/// A holder whose token request fails returns the lease at the time of its own next attempt, and
/// after 10 s at most. Each cache decides by its own clock and policy whether a token is usable:
/// the store does not.
///
/// A token that is [revoked](crate::TokenCache::revoke) is saved once more, as one that was issued
/// just now with a lifetime of 999 ms. No cache uses it, and the store has no token when it has ended.
///
/// A request that finds its token in the process never waits for the store, and no request fails
/// because of it. If an operation takes longer than [`patience`](Self::patience), fails or panics,
/// the cache logs a warning and requests its own token.
///
/// # What an implementation guarantees
///
/// A store holds credentials, and other clients may read and write where it keeps them. An
/// implementation either protects its values by a key that only the processes have, or documents that
/// it does not. With such a key:
///
/// - **A client without the key can read and forge no token.** Each value is bound to its
///   [`SharedKey`].
/// - **A client without the key can make no token live longer.** The token's end is part of the
///   protected value, by one clock that all processes share, usually that of the database. An expiry
///   that the database keeps beside the value may only shorten the token's life. An old value that is
///   restored is then at most a token that still lives.
/// - **A lease proves its holder.** It holds an end by the same clock, protected and bound to its key
///   in the same way. A lease that proves nothing, has ended, or ends later than a lease can, keeps no
///   process from requesting a token.
/// - **No wait is unbounded.** A client without the key may restore a lease that it has recorded, until
///   its end. If that happens repeatedly and no token arrives, [`lease`](Self::lease) fails within a
///   documented time, and the process requests its own token.
///
/// Whatever the key: no operation sends or reads a value of unlimited size. [`save`](Self::save) fails
/// for a token that [`load`](Self::load) would not accept.
///
/// `auth-redis` implements a store in Redis. To write another, run `check_shared_store` of
/// `auth-testing` against it. It checks what can be seen through this trait, and not what a client of
/// the database can do. `MemoryStore` of `auth-testing` is an example, which no other client can write
/// to. Several caches of a process share a store by an [`Arc`]:
///
/// ```
/// use std::sync::Arc;
/// use auth_core::{TokenCache, TokenSource, shared_store::SharedTokenStore};
///
/// # fn example(orders: impl TokenSource, invoices: impl TokenSource, store: impl SharedTokenStore) {
/// let store: Arc<dyn SharedTokenStore> = Arc::new(store);
/// let orders = TokenCache::builder(orders).shared_store(store.clone()).build();
/// let invoices = TokenCache::builder(invoices).shared_store(store).build();
/// # }
/// ```
#[async_trait]
pub trait SharedTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Loads the token that was saved last under `key`, if it has not ended. A value that cannot be
    /// read is treated as absent.
    ///
    /// # Errors
    /// If the operation fails.
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error>;

    /// Saves `token` until it ends, unless the store holds one that was issued later. Wakes the
    /// callers that wait in [`changed`](Self::changed).
    ///
    /// # Errors
    /// If the token may not have been saved, or is too large for the store.
    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error>;

    /// Acquires the lease: the right to be the only process that requests a token for `key`. `None`
    /// if another process holds it.
    ///
    /// A lease ends by itself some seconds after its holder stopped [holding](Lease::hold) it: the
    /// holder may have crashed. In `auth-redis` it lasts 5 s.
    ///
    /// # Errors
    /// If the operation fails, or if the process has waited for so long that the leases are not those
    /// of existing holders. The cache then requests its own token.
    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error>;

    /// Waits until a token may have been saved under `key`, or its lease is free. Completes at once
    /// if the lease is free. May complete without a change.
    ///
    /// # Errors
    /// If the operation fails.
    async fn changed(&self, key: &SharedKey) -> Result<(), Error>;

    /// Returns how long an operation may take now. Default: 250 ms.
    ///
    /// The cache calls this before each operation: a store may need more time before it is
    /// connected. Before a token request an operation may take at most a quarter of the attempt's
    /// remaining time. After it, saving the token and returning the lease may take four times as
    /// long as the patience, because no caller waits for them.
    ///
    /// The patience does not apply to [`changed`](Self::changed).
    fn patience(&self) -> Duration {
        Duration::from_millis(250)
    }
}

/// The right to request a token, for a limited time.
#[async_trait]
pub trait Lease: fmt::Debug + Send + Sync + 'static {
    /// Extends the lease for as long as this future is polled. Never completes: a holder that has
    /// lost its lease finishes its token request nevertheless.
    async fn hold(&self);

    /// Returns the lease, if it has not ended, and wakes the processes that wait for it.
    ///
    /// # Errors
    /// If the lease may not have been returned. It then ends by itself.
    async fn release(self: Box<Self>) -> Result<(), Error>;

    /// Returns the lease, if it has not ended, after `wait`, which is at most 10 s. Until then no
    /// process can acquire it: the token request has failed, and would fail for the next process as
    /// well.
    ///
    /// # Errors
    /// If the lease may be free earlier.
    async fn release_after(self: Box<Self>, wait: Duration) -> Result<(), Error>;
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
