//! A store for tests, and a test for stores.

mod conformance;
mod memory_lease;
mod shelf;

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

use auth_core::{Error, ErrorKind, Lease, SharedKey, SharedToken, SharedTokenStore, async_trait};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::lock::lock;
pub use conformance::check_shared_store;
use memory_lease::MemoryLease;
use shelf::Shelf;

const LOOKS_EVERY: Duration = Duration::from_millis(250);

/// A [`SharedTokenStore`] in this process's memory, for tests of what several processes would do.
///
/// Clones are handles to the same store: give one to each cache that stands for a process. It
/// follows tokio's time, paused or not. Leases last 5 s, unless told otherwise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), auth_testing::auth_core::Error> {
/// use auth_testing::{AuthorizationServer, MemoryStore, auth_core::{TokenCache, TokenSource}};
/// # async fn processes(source: impl TokenSource + Clone) -> Result<(), auth_testing::auth_core::Error> {
///
/// let store = MemoryStore::new();
/// let process = || TokenCache::builder(source.clone()).shared_store(store.clone()).build();
/// let (one, other) = (process(), process());
/// one.token().await?;
/// other.token().await?;
/// assert_eq!(other.status().token_requests, 0);
///
/// store.fail();
/// // and now for the outage
/// # Ok(())
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    shelves: Mutex<HashMap<SharedKey, Shelf>>,
    lease: Duration,
    leases: AtomicU64,
    saves: AtomicU64,
    changes: watch::Sender<u64>,
    trouble: Mutex<Trouble>,
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    Fails,
    Hangs,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_lease(Duration::from_secs(5))
    }

    /// An empty store whose leases last for `lease` after they were taken or renewed.
    #[must_use]
    pub fn with_lease(lease: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                shelves: Mutex::default(),
                lease,
                leases: AtomicU64::new(0),
                saves: AtomicU64::new(0),
                changes: watch::Sender::new(0),
                trouble: Mutex::new(Trouble::None),
            }),
        }
    }

    /// Fails every operation from now on.
    pub fn fail(&self) {
        self.trouble(Trouble::Fails);
    }

    /// Gives no answer to any operation from now on.
    pub fn hang(&self) {
        self.trouble(Trouble::Hangs);
    }

    /// Works again.
    pub fn mend(&self) {
        self.trouble(Trouble::None);
    }

    /// Forgets everything, leases too, and wakes nobody: what a restart does.
    pub fn clear(&self) {
        self.shelves().clear();
    }

    /// How often a token was handed over to be kept so far.
    #[must_use]
    pub fn saves(&self) -> u64 {
        self.shared.saves.load(Relaxed)
    }

    fn trouble(&self, trouble: Trouble) {
        *lock(&self.shared.trouble) = trouble;
    }

    async fn works(&self) -> Result<(), Error> {
        let trouble = *lock(&self.shared.trouble);
        match trouble {
            Trouble::None => Ok(()),
            Trouble::Fails => Err(Error::new(ErrorKind::SharedStore, "told to fail")),
            Trouble::Hangs => pending().await,
        }
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<SharedKey, Shelf>> {
        lock(&self.shared.shelves)
    }

    fn wake(&self) {
        self.shared.changes.send_modify(|changes| *changes += 1);
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
        self.works().await?;
        Ok(self
            .shelves()
            .get(key)
            .and_then(|shelf| shelf.token(Instant::now())))
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.works().await?;
        self.shared.saves.fetch_add(1, Relaxed);
        let mut shelves = self.shelves();
        let shelf = shelves.entry(key.clone()).or_default();
        shelf.put(token, Instant::now());
        drop(shelves);
        self.wake();
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.works().await?;
        let owner = self.shared.leases.fetch_add(1, Relaxed);
        let until = Instant::now() + self.shared.lease;
        let is_ours = self
            .shelves()
            .entry(key.clone())
            .or_default()
            .take(owner, until);
        Ok(is_ours.then(|| MemoryLease::boxed(self.clone(), key.clone(), owner)))
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.works().await?;
        let mut changes = self.shared.changes.subscribe();
        let leased = || self.shelves().get(key).and_then(Shelf::leased_until);
        while let Some(until) = leased() {
            // it may end sooner than it was to, which nobody tells
            let look = until.min(Instant::now() + LOOKS_EVERY);
            if timeout_at(look, changes.changed()).await.is_ok() {
                break;
            }
        }
        self.works().await
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}
