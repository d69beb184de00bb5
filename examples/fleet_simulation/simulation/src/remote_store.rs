//! `MemoryStore` with the latency of a network.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Error, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_testing::MemoryStore;
use tokio::time::{Instant, sleep};

use crate::record::{Record, lock};

/// The time of a round trip.
const LATENCY: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
pub(super) struct RemoteStore {
    store: MemoryStore,
    record: Arc<Mutex<Record>>,
}

impl RemoteStore {
    pub(super) fn new(record: &Arc<Mutex<Record>>) -> Self {
        Self {
            store: MemoryStore::new(),
            record: Arc::clone(record),
        }
    }

    async fn round_trip(&self) {
        lock(&self.record).store_operation(Instant::now());
        sleep(LATENCY).await;
    }
}

#[async_trait]
impl SharedTokenStore for RemoteStore {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.round_trip().await;
        self.store.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.round_trip().await;
        self.store.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.round_trip().await;
        let lease = self.store.lease(key).await?;
        Ok(lease.map(|lease| -> Box<dyn Lease> {
            Box::new(RemoteLease {
                lease,
                store: self.clone(),
            })
        }))
    }

    /// Waiting is not counted as an operation. The notification takes as long as a round trip.
    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        let changed = self.store.changed(key).await;
        sleep(LATENCY).await;
        changed
    }
}

#[derive(Debug)]
struct RemoteLease {
    lease: Box<dyn Lease>,
    store: RemoteStore,
}

#[async_trait]
impl Lease for RemoteLease {
    async fn hold(&self) {
        self.lease.hold().await;
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.store.round_trip().await;
        self.lease.release().await
    }

    async fn release_after(self: Box<Self>, delay: Duration) -> Result<(), Error> {
        self.store.round_trip().await;
        self.lease.release_after(delay).await
    }
}
