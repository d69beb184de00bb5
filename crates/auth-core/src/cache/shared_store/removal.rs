//! Removes a token that is revoked from the store.

use std::{sync::Arc, time::Duration};

use super::{
    super::inner::Inner,
    acquire::shared_key,
    operation::{OperationError, StoreAccess},
};
use crate::{
    AccessToken,
    shared_store::{SharedToken, SharedTokenStore},
};

/// The lifetime of the entry that takes the place of a revoked token. No cache uses a token whose
/// lifetime is less than a second.
const REMOVED_FOR: Duration = Duration::from_millis(999);

/// Removes `token` from the store, if the store holds it: saves it once more, as a token that no cache
/// uses and that ends within a second. A store that fails keeps it, and the failure is logged.
pub(in crate::cache) async fn remove(
    cache: &Arc<Inner>,
    store: &Arc<dyn SharedTokenStore>,
    token: &AccessToken,
    deadline: Duration,
) {
    let source = cache.client.source();
    let Some(key) = shared_key(&**source, &cache.request, Some(cache.need())).await else {
        return;
    };
    let clock = cache.clock.clone();
    let access = StoreAccess::new(store, key, clock, &Arc::downgrade(cache), deadline);
    if let Err(OperationError::NoTime(operation, too_slow)) = replace(&access, token).await {
        access.failed(operation, &too_slow);
    }
}

async fn replace(access: &StoreAccess, token: &AccessToken) -> Result<(), OperationError> {
    let load = async { access.store.load(&access.key).await };
    let saved = access.before_request("load", load).await?;
    if saved.is_none_or(|saved| saved.secret() != token.secret()) {
        return Ok(());
    }
    // the characters of a token have been checked
    let Ok(removed) = SharedToken::bearer(token.secret()) else {
        return Ok(());
    };
    let removed = removed.with_lifetime(REMOVED_FOR);
    let save = async { access.store.save(&access.key, &removed).await };
    access.before_request("save", save).await
}
