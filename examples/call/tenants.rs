//! Clients that take turns and have a token each.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use auth_core::TokenCache;

use crate::{grant::RequestTime, stack::Stack};

pub(crate) struct Tenant {
    pub(crate) stack: Box<dyn Stack>,
    /// The tokens of the stack's requests.
    pub(crate) tokens: TokenCache,
    pub(crate) token_time: RequestTime,
}

/// One or more tenants.
pub(crate) struct Tenants {
    all: Vec<Tenant>,
    turns: AtomicUsize,
}

impl Tenants {
    pub(crate) fn new(all: Vec<Tenant>) -> Self {
        Self {
            all,
            turns: AtomicUsize::new(0),
        }
    }

    /// Returns the tenant of the next request.
    pub(crate) fn next(&self) -> &Tenant {
        &self.all[self.turns.fetch_add(1, Relaxed) % self.all.len()]
    }

    pub(crate) fn first(&self) -> &Tenant {
        &self.all[0]
    }

    /// Waits until the tokens that this process requested are saved to the shared store.
    pub(crate) async fn flush(&self) {
        for tenant in &self.all {
            tenant.tokens.flush().await;
        }
    }

    /// Counts the tokens that another process had requested.
    pub(crate) fn tokens_from_shared_store(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.tokens_from_shared_store).sum()
    }

    /// Counts the failed operations of the shared store.
    pub(crate) fn shared_store_failures(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.shared_store_failures).sum()
    }

    /// Counts the requests that were replayed.
    pub(crate) fn replays(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.replays).sum()
    }
}
