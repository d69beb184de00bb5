//! Saves the fetched token, and returns the lease.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};

use super::operation::{StoreAccess, catch_store_panic};
use crate::shared_store::{Lease, SharedToken};

/// The maximum time for which a failed holder keeps other processes from requesting a token.
const MAX_HOLD_BACK: Duration = Duration::from_secs(10);

/// The remaining work in the store after a fetch.
pub(in crate::cache) struct Unsaved {
    pub(super) access: StoreAccess,
    /// Returned once the token has been saved.
    pub(super) lease: Option<Box<dyn Lease>>,
}

impl Unsaved {
    /// Saves `token` if there is one, and returns the lease: after `hold_back`, if there is none.
    pub(in crate::cache) async fn save(
        self,
        token: Option<SharedToken>,
        hold_back: Option<Duration>,
    ) {
        let Self { access, lease } = self;
        if let Some(token) = token {
            let save = async { access.store.save(&access.key, &token).await };
            let save = access.after_request("save", save);
            match &lease {
                Some(lease) => while_held(&**lease, save).await,
                None => save.await,
            }
        }
        let Some(lease) = lease else { return };
        let release = async {
            match hold_back {
                Some(wait) => lease.release_after(wait.min(MAX_HOLD_BACK)).await,
                None => lease.release().await,
            }
        };
        access.after_request("release", release).await;
    }
}

/// Runs `work` while the lease is held.
pub(super) async fn while_held<T>(lease: &dyn Lease, work: impl Future<Output = T>) -> T {
    let mut hold = Some(Box::pin(catch_store_panic(async { lease.hold().await })));
    let mut work = pin!(work);
    let outcome = poll_fn(|cx| {
        if let Some(holding) = &mut hold
            && holding.as_mut().poll(cx).is_ready()
        {
            hold = None;
        }
        work.as_mut().poll(cx)
    })
    .await;
    // the store's future may panic when it is dropped
    let _ = catch_store_panic(async { drop(hold) }).await;
    outcome
}
