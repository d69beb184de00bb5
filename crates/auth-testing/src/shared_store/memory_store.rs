//! A shared store in this process's memory, and its lease.

use std::{
    collections::HashMap,
    fmt,
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::entry::Entry;
use crate::sync::lock;

/// The interval at which [`SharedTokenStore::changed`] checks whether the lease has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The longest time of a lease: 30 years.
const MAX_LEASE: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Returns the time after `duration`, which may be `Duration::MAX`.
fn after(duration: Duration) -> Instant {
    Instant::now() + duration.min(MAX_LEASE)
}

/// A [`SharedTokenStore`] in this process's memory, for tests of several processes.
///
/// Clones are handles to the same store: give one to each cache that acts as a process. A lease
/// lasts 5 s after it was acquired or extended, unless [`with_lease`](Self::with_lease) sets
/// another time.
///
/// Only its handles can write to the store. Its tokens and leases therefore need no proof.
///
/// Tokens and leases end by tokio's time, paused or not. Give the caches a
/// [`TokioClock`](crate::TokioClock), so that they use the same time.
/// A [`ManualClock`](crate::ManualClock) moves the caches and not the store.
///
/// A cache hands a token out before it saves the token. Call
/// [`TokenCache::flush`](auth_core::TokenCache::flush) before another cache loads the token, before
/// time is moved, and before the test counts [`saves`](Self::saves):
///
/// ```
/// use std::time::Duration;
/// use auth_testing::{
///     MemoryStore, TokioClock,
///     auth_core::{
///         Error, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
///         shared_store::SharedKey,
///     },
/// };
///
/// /// A program's own source has to name its tokens; `ClientCredentials` does.
/// #[derive(Clone, Debug)]
/// struct Source;
///
/// #[async_trait]
/// impl TokenSource for Source {
///     async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
///         Ok(TokenResponse::bearer("abc")?.with_expires_in(Duration::from_secs(600)))
///     }
///
///     fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
///         Some(SharedKey::new(["my source"], request))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Error> {
/// let (clock, store) = (TokioClock::new(), MemoryStore::new());
/// let process = || TokenCache::builder(Source).shared_store(store.clone()).clock(clock).build();
/// let (first, second) = (process(), process());
///
/// first.token().await?;
/// first.flush().await; // the token is in the store
/// tokio::time::advance(Duration::from_secs(60)).await;
/// second.token().await?;
/// assert_eq!(second.status().token_requests, 0);
/// assert_eq!(second.status().tokens_from_shared_store, 1);
///
/// store.fail();
/// let third = process();
/// third.token().await?; // no request fails because of the store
/// assert_eq!(third.status().token_requests, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<State>,
}

struct State {
    entries: Mutex<HashMap<SharedKey, Entry>>,
    lease_duration: Duration,
    leases: AtomicU64,
    saves: AtomicU64,
    changes: watch::Sender<u64>,
    mode: Mutex<Mode>,
}

/// The outcome of every operation.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Works,
    Fails,
    Hangs,
}

impl MemoryStore {
    /// Creates an empty store whose leases last 5 s.
    #[must_use]
    pub fn new() -> Self {
        Self::with_lease(Duration::from_secs(5))
    }

    /// Creates an empty store whose leases last for `duration` after they were acquired or extended.
    #[must_use]
    pub fn with_lease(duration: Duration) -> Self {
        Self {
            state: Arc::new(State {
                entries: Mutex::default(),
                lease_duration: duration,
                leases: AtomicU64::new(0),
                saves: AtomicU64::new(0),
                changes: watch::Sender::new(0),
                mode: Mutex::new(Mode::Works),
            }),
        }
    }

    /// Fails every operation until [`recover`](Self::recover).
    pub fn fail(&self) {
        self.set_mode(Mode::Fails);
    }

    /// Leaves every operation without an outcome until [`recover`](Self::recover). An operation that
    /// hangs has no outcome after it either.
    pub fn hang(&self) {
        self.set_mode(Mode::Hangs);
    }

    /// Ends [`fail`](Self::fail) and [`hang`](Self::hang).
    pub fn recover(&self) {
        self.set_mode(Mode::Works);
    }

    /// Removes all tokens and leases without waking any waiter, as a restart of a server does.
    pub fn clear(&self) {
        self.entries().clear();
    }

    /// Returns the number of tokens that caches have saved so far. A token that was not kept because
    /// it was older than the current one counts as well.
    #[must_use]
    pub fn saves(&self) -> u64 {
        self.state.saves.load(Relaxed)
    }

    fn set_mode(&self, mode: Mode) {
        *lock(&self.state.mode) = mode;
    }

    /// Fails or hangs as the test has set it.
    async fn operate(&self) -> Result<(), Error> {
        let mode = *lock(&self.state.mode);
        match mode {
            Mode::Works => Ok(()),
            Mode::Fails => Err(Error::new(
                ErrorKind::SharedStore,
                "the test made the store fail with MemoryStore::fail",
            )),
            Mode::Hangs => pending().await,
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<SharedKey, Entry>> {
        lock(&self.state.entries)
    }

    fn wake_waiters(&self) {
        self.state.changes.send_modify(|changes| *changes += 1);
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl SharedTokenStore for MemoryStore {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.operate().await?;
        Ok(self
            .entries()
            .get(key)
            .and_then(|entry| entry.token(Instant::now())))
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.operate().await?;
        self.state.saves.fetch_add(1, Relaxed);
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        entry.save(token, Instant::now());
        drop(entries);
        self.wake_waiters();
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.operate().await?;
        let number = self.state.leases.fetch_add(1, Relaxed);
        let until = after(self.state.lease_duration);
        let is_acquired = self
            .entries()
            .entry(key.clone())
            .or_default()
            .acquire(number, until);
        Ok(is_acquired.then(|| -> Box<dyn Lease> {
            Box::new(MemoryLease {
                store: self.clone(),
                key: key.clone(),
                number,
            })
        }))
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.operate().await?;
        let mut changes = self.state.changes.subscribe();
        let leased_until = || self.entries().get(key).and_then(Entry::leased_until);
        while let Some(until) = leased_until() {
            // `clear` and `release_after` may end the lease earlier, and wake no waiter
            let next_look = until.min(Instant::now() + POLL_INTERVAL);
            if timeout_at(next_look, changes.changed()).await.is_ok() {
                break;
            }
        }
        self.operate().await
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

/// A lease in a [`MemoryStore`]. A lease that is dropped stays acquired until it ends by itself.
#[derive(Debug)]
struct MemoryLease {
    store: MemoryStore,
    key: SharedKey,
    number: u64,
}

#[async_trait]
impl Lease for MemoryLease {
    async fn hold(&self) {
        let duration = self.store.state.lease_duration;
        loop {
            sleep(duration / 3).await;
            if self.store.operate().await.is_ok()
                && let Some(entry) = self.store.entries().get_mut(&self.key)
            {
                entry.extend(self.number, after(duration));
            }
        }
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.store.operate().await?;
        if let Some(entry) = self.store.entries().get_mut(&self.key) {
            entry.release(self.number);
        }
        self.store.wake_waiters();
        Ok(())
    }

    async fn release_after(self: Box<Self>, wait: Duration) -> Result<(), Error> {
        self.store.operate().await?;
        if let Some(entry) = self.store.entries().get_mut(&self.key) {
            entry.extend(self.number, after(wait));
        }
        Ok(())
    }
}
