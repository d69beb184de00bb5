//! The shared store, which the processes reach over a network.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_testing::MemoryStore;
use tokio::time::Instant;

use super::{
    machine::{Machine, delayed_until},
    network::{Condition, Network},
};

/// The delivery of notifications.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notifications {
    Delivered,
    /// No notification arrives.
    Lost,
    /// Every process receives notifications at once, without a change.
    Spurious,
}

/// The store. Clones are the same store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) network: Network,
    pub(super) memory: MemoryStore,
    notifications: Arc<Mutex<Notifications>>,
    /// When a token was last saved.
    saved: Arc<Mutex<Option<Instant>>>,
}

impl Store {
    pub(super) fn new(network: Network) -> Self {
        Self {
            network,
            memory: MemoryStore::new(),
            notifications: Arc::new(Mutex::new(Notifications::Delivered)),
            saved: Arc::default(),
        }
    }

    pub(super) fn notifications(&self) -> Notifications {
        *self.notifications.lock().unwrap()
    }

    pub(super) fn set_notifications(&self, notifications: Notifications) {
        *self.notifications.lock().unwrap() = notifications;
    }

    /// Returns the saved token, and how long ago it was saved.
    pub(super) async fn saved_token(&self, key: &SharedKey) -> Option<(SharedToken, Duration)> {
        let token = self.memory.load(key).await.unwrap()?;
        let saved = *self.saved.lock().unwrap();
        Some((token, saved?.elapsed()))
    }
}

/// The connection of a process to the store.
#[derive(Clone, Debug)]
pub(super) struct StoreClient {
    pub(super) store: Store,
    pub(super) machine: Machine,
}

#[async_trait]
impl SharedTokenStore for StoreClient {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let (memory, key) = (self.store.memory.clone(), key.clone());
        let work = async move |_| memory.load(&key).await;
        self.store.network.send(&self.machine, work).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        let (store, key, token) = (self.store.clone(), key.clone(), token.clone());
        let work = async move |on_its_way: Duration| {
            // the latency is part of the token's age
            let age = token.age() + on_its_way;
            *store.saved.lock().unwrap() = Some(Instant::now());
            match age < token.lifetime() {
                true => store.memory.save(&key, &token.with_age(age)).await,
                false => Ok(()),
            }
        };
        self.store.network.send(&self.machine, work).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let (client, key) = (self.clone(), key.clone());
        let work = async move |_| {
            let lease = client.store.memory.lease(&key).await?;
            Ok(lease.map(|lease| -> Box<dyn Lease> { Box::new(RemoteLease { lease, client }) }))
        };
        self.store.network.send(&self.machine, work).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        let notified = async {
            match self.store.notifications() {
                Notifications::Delivered => self.store.memory.changed(key).await?,
                Notifications::Lost => pending().await,
                Notifications::Spurious => {}
            }
            self.store.network.until_it_answers().await;
            match self.store.network.condition() {
                Condition::Unreachable => {
                    Err(Error::new(ErrorKind::Connection, "scripted: unreachable"))
                }
                _ => Ok(()),
            }
        };
        self.machine.run(notified).await
    }
}

/// A lease that is held over the network.
#[derive(Debug)]
struct RemoteLease {
    lease: Box<dyn Lease>,
    client: StoreClient,
}

/// The time between two attempts to extend a lease while the store cannot be reached.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

#[async_trait]
impl Lease for RemoteLease {
    async fn hold(&self) {
        let network = &self.client.store.network;
        let down_until = || (!network.is_up()).then(|| Instant::now() + RETRY_INTERVAL);
        let hold = delayed_until(down_until, self.lease.hold());
        self.client.machine.run(hold).await;
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        let Self { lease, client } = *self;
        let work = async move |_| lease.release().await;
        client.store.network.send(&client.machine, work).await
    }

    async fn release_after(self: Box<Self>, backoff: Duration) -> Result<(), Error> {
        let Self { lease, client } = *self;
        let work = async move |_| lease.release_after(backoff).await;
        client.store.network.send(&client.machine, work).await
    }
}
