//! Clients with a token each, whose requests take turns.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use auth_core::TokenCache;

use crate::{grant::RequestTime, stack::Stack};

pub(crate) struct Tenant {
    pub(crate) stack: Box<dyn Stack>,
    /// Those that its requests carry.
    pub(crate) tokens: TokenCache,
    pub(crate) token_time: RequestTime,
}

/// One at least.
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

    /// Whose turn it is.
    pub(crate) fn next(&self) -> &Tenant {
        &self.all[self.turns.fetch_add(1, Relaxed) % self.all.len()]
    }

    pub(crate) fn first(&self) -> &Tenant {
        &self.all[0]
    }

    /// Waits until others find what this process has asked for.
    pub(crate) async fn settled(&self) {
        for tenant in &self.all {
            tenant.tokens.flush().await;
        }
    }

    /// Tokens that other processes had asked for.
    pub(crate) fn shared_tokens(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.tokens_from_shared_store).sum()
    }

    /// What the shared store did not do.
    pub(crate) fn store_failures(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.shared_store_failures).sum()
    }

    /// Requests that were sent a second time.
    pub(crate) fn replays(&self) -> u64 {
        let statuses = self.all.iter().map(|tenant| tenant.tokens.status());
        statuses.map(|status| status.replays).sum()
    }
}
