//! Obtains a token from the store, or the right to request one.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{
    super::{
        fetch::{Fetch, Fetched},
        inner::Inner,
    },
    operation::{OperationError, StoreAccess, catch_store_panic, flatten},
    save::{Unsaved, while_held},
};
use crate::{
    Error, ErrorKind, TokenRequest, TokenSource, events,
    shared_store::{Lease, Need, SharedKey, SharedToken, SharedTokenStore},
    time::Now,
};

/// The minimum wait between two attempts to acquire the lease; the maximum is twice as long. A
/// store may report a change although there is none.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);

/// Fetches a token that another process has saved, or requests one. Also returns the remaining
/// work in the store.
pub(in crate::cache) async fn fetch(
    fetch: &Fetch,
    store: &Arc<dyn SharedTokenStore>,
    cache: &Weak<Inner>,
) -> (Fetched, Option<Unsaved>) {
    let need = cache.upgrade().map(|cache| cache.need());
    let Some(key) = shared_key(&*fetch.source, &fetch.request, need).await else {
        return (fetch.run().await, None);
    };
    let shared = |key| SharedFetch {
        fetch,
        cache,
        access: {
            let (clock, deadline) = (fetch.clock.clone(), fetch.deadline());
            StoreAccess::new(store, key, clock, &fetch.cache, deadline)
        },
    };
    loop {
        // A fetch that waits for its turn holds no lease. A saved token needs no turn.
        if !fetch.try_turn() {
            let early = shared(key.clone());
            if let Ok(Some(saved)) = early.saved().await {
                return (saved.into_fetched(), None);
            }
            if let Err(error) = fetch.turn().await {
                return (Fetched::failed(fetch.clock.now(), error), None);
            }
        }
        let shared = shared(key.clone());
        if let Some((fetched, lease)) = shared.run().await {
            let access = shared.access;
            return (fetched, Some(Unsaved { access, lease }));
        }
    }
}

/// Returns the key under which processes share the token, if they do, for the need of a cache.
pub(super) async fn shared_key(
    source: &dyn TokenSource,
    request: &TokenRequest,
    need: Option<Need>,
) -> Option<SharedKey> {
    let key = catch_store_panic(async { source.shared_key(request) });
    let key = key.await.ok().flatten();
    if key.is_none() {
        events::source_has_no_shared_key();
    }
    let key = key?;
    Some(match need {
        Some(need) => key.with_need(need),
        None => key,
    })
}

struct SharedFetch<'a> {
    fetch: &'a Fetch,
    cache: &'a Weak<Inner>,
    access: StoreAccess,
}

enum Acquisition {
    Saved(SavedToken),
    Leased(Box<dyn Lease>),
    /// Another process holds the lease.
    Taken,
}

/// A token that another process has saved, and that this cache can use.
struct SavedToken {
    token: SharedToken,
    /// The time before the store was called. A suspended process may read the result much later.
    loaded_at: Now,
}

impl SavedToken {
    fn into_fetched(self) -> Fetched {
        Fetched {
            requested_at: self.loaded_at,
            result: Ok(self.token.into_response()),
            from_store: true,
        }
    }
}

impl SharedFetch<'_> {
    /// Returns `None` if the fetch has to wait for its turn first: it returned its turn while another
    /// process held the lease, and no turn was free when that process returned the lease.
    async fn run(&self) -> Option<(Fetched, Option<Box<dyn Lease>>)> {
        Some(match self.acquire().await {
            Ok(Acquisition::Saved(saved)) => (saved.into_fetched(), None),
            Ok(Acquisition::Leased(lease)) if !self.fetch.try_turn() => {
                self.release(lease).await;
                return None;
            }
            Ok(Acquisition::Leased(lease)) => {
                let fetched = while_held(&*lease, self.fetch.run()).await;
                (fetched, Some(lease))
            }
            Ok(Acquisition::Taken) => {
                let error = Error::new(
                    ErrorKind::Timeout,
                    "shared store: expected a token from the process that holds the lease within the \
                     attempt timeout, got none",
                );
                let fetched = Fetched {
                    requested_at: self.access.clock.now(),
                    result: Err(error),
                    from_store: false,
                };
                (fetched, None)
            }
            Err(error) => {
                if let OperationError::NoTime(operation, too_slow) = error {
                    self.access.failed(operation, &too_slow);
                }
                (self.fetch.run().await, None)
            }
        })
    }

    /// Returns the lease. If that fails, the lease ends by itself.
    async fn release(&self, lease: Box<dyn Lease>) {
        let release = async { lease.release().await };
        let _ = self.access.before_request("release", release).await;
    }

    /// Acquires a saved token or a lease, within the time of the attempt.
    async fn acquire(&self) -> Result<Acquisition, OperationError> {
        let access = &self.access;
        let now = access.clock.now().monotonic;
        // longer than the lease of a crashed holder; the remaining time suffices to request a token
        let left = access.deadline.saturating_sub(now);
        let primary_until = now.saturating_add(left.saturating_mul(3) / 4);
        if let Some(acquired) = self.acquire_by(primary_until, false).await? {
            return Ok(acquired);
        }
        // The holder still runs, and its request hangs. If all waiters requested a token now, an
        // unresponsive server would see the requests of all processes at once. Therefore one
        // waiter acquires the fallback lease.
        events::lease_held_too_long();
        let fallback = access.key.fallback();
        let lease = async { access.store.lease(&fallback).await };
        match access.before_request("lease", lease).await {
            Ok(Some(lease)) => return Ok(self.leased(lease).await),
            Ok(None) | Err(OperationError::NoTime(..)) => {}
            Err(OperationError::Failed) => return Err(OperationError::Failed),
        }
        // an operation that starts shortly before the deadline could not finish
        let left = access.deadline.saturating_sub(access.clock.now().monotonic);
        let end = access.deadline - access.patience().await.min(left / 2);
        let acquired = self.acquire_by(end, true).await?;
        Ok(acquired.unwrap_or(Acquisition::Taken))
    }

    /// Acquires a saved token or the lease, if either is available by `end`. `store_works`: an
    /// operation of the store has succeeded before.
    async fn acquire_by(
        &self,
        end: Duration,
        mut store_works: bool,
    ) -> Result<Option<Acquisition>, OperationError> {
        let access = &self.access;
        // a token that is saved between the first load and the wait for changes is not a change
        let mut load_again_after = access.patience().await.saturating_mul(2);
        while access.clock.now().monotonic < end {
            match self.try_acquire().await {
                Ok(Acquisition::Taken) => {
                    store_works = true;
                    // other keys need not wait for the other process
                    self.fetch.release_turn();
                }
                Ok(acquired) => return Ok(Some(acquired)),
                // if all processes gave up for lack of time, all would request a token
                Err(OperationError::NoTime(..)) if store_works => {}
                Err(error) => return Err(error),
            }
            let changed = async { access.store.changed(&access.key).await };
            let changed_by = access
                .clock
                .now()
                .monotonic
                .saturating_add(load_again_after)
                .min(end);
            load_again_after = Duration::MAX;
            // a wait that times out is dropped inside the catch
            let changed = catch_store_panic(access.clock.before(changed_by, changed)).await;
            if let Some(Err(error)) = changed.transpose().map(flatten) {
                return Err(access.failed("wait", &error));
            }
            match self.saved().await {
                Ok(Some(saved)) => return Ok(Some(Acquisition::Saved(saved))),
                Ok(None) | Err(OperationError::NoTime(..)) => {}
                Err(OperationError::Failed) => return Err(OperationError::Failed),
            }
            let wait = BETWEEN_ATTEMPTS.mul_f64(1.0 + fastrand::f64());
            let next = access.clock.now().monotonic.saturating_add(wait);
            access.clock.sleep_until(next.min(end)).await;
        }
        Ok(None)
    }

    async fn try_acquire(&self) -> Result<Acquisition, OperationError> {
        let access = &self.access;
        if let Some(saved) = self.saved().await? {
            return Ok(Acquisition::Saved(saved));
        }
        let lease = async { access.store.lease(&access.key).await };
        match access.before_request("lease", lease).await? {
            Some(lease) => Ok(self.leased(lease).await),
            None => Ok(Acquisition::Taken),
        }
    }

    /// Uses the acquired lease, unless the previous holder saved a token just before it returned
    /// the lease.
    async fn leased(&self, lease: Box<dyn Lease>) -> Acquisition {
        match self.saved().await {
            Ok(Some(saved)) => {
                self.release(lease).await;
                Acquisition::Saved(saved)
            }
            Ok(None) | Err(_) => Acquisition::Leased(lease),
        }
    }

    /// Loads the saved token, if this cache can use it.
    async fn saved(&self) -> Result<Option<SavedToken>, OperationError> {
        let access = &self.access;
        let loaded_at = access.clock.now();
        let load = async { access.store.load(&access.key).await };
        let token = access.before_request("load", load).await?;
        let cache = self.cache.upgrade();
        let draw = self.fetch.draw;
        let token =
            token.filter(|token| cache.is_some_and(|cache| cache.can_use(token, loaded_at, draw)));
        let token = token.filter(|token| token.response().is_within_bounds());
        Ok(token.map(|token| SavedToken { token, loaded_at }))
    }
}
