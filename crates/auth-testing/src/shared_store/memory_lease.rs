use std::time::Duration;

use auth_core::{Error, Lease, SharedKey, async_trait};
use tokio::time::{Instant, sleep};

use super::MemoryStore;

/// A lease in a [`MemoryStore`]. Dropped, it goes on until it ends.
#[derive(Debug)]
pub(super) struct MemoryLease {
    store: MemoryStore,
    key: SharedKey,
    owner: u64,
}

impl MemoryLease {
    pub(super) fn boxed(store: MemoryStore, key: SharedKey, owner: u64) -> Box<dyn Lease> {
        Box::new(Self { store, key, owner })
    }
}

#[async_trait]
impl Lease for MemoryLease {
    async fn hold(&self) {
        let lease = self.store.shared.lease;
        loop {
            sleep(lease / 3).await;
            if self.store.works().await.is_ok()
                && let Some(shelf) = self.store.shelves().get_mut(&self.key)
            {
                shelf.renew(self.owner, Instant::now() + lease);
            }
        }
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.store.works().await?;
        if let Some(shelf) = self.store.shelves().get_mut(&self.key) {
            shelf.release(self.owner);
        }
        self.store.wake();
        Ok(())
    }

    async fn release_after(self: Box<Self>, pause: Duration) -> Result<(), Error> {
        self.store.works().await?;
        if let Some(shelf) = self.store.shelves().get_mut(&self.key) {
            shelf.renew(self.owner, Instant::now() + pause);
        }
        Ok(())
    }
}
