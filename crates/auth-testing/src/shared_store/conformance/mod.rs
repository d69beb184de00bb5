//! What every store that processes share has to do.

// it is there to fail the test that calls it
#![allow(clippy::panic)]

mod asking;
mod leases;
mod tokens;

use std::time::Duration;

use auth_core::SharedTokenStore;

/// No store keeps a lease, or an ended token, for so long.
const PATIENCE: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_millis(20);

/// Takes a [`SharedTokenStore`] through everything its documentation demands; for authors of one.
///
/// `one` and `other` are two handles to the same store, such as two processes would have. Nothing
/// has to be empty: the keys are drawn at random. It takes about four times as long as a lease
/// lasts, in tokio's time, which may be paused if the store follows it.
///
/// # Panics
/// With what the store does not do.
pub async fn check_shared_store(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    tokens::keeps_what_it_is_given(one, other).await;
    tokens::keeps_what_was_issued_last(one, other).await;
    tokens::forgets_what_has_ended(one, other).await;
    leases::gives_one_lease(one, other).await;
    leases::tells_of_changes(one, other).await;
    leases::pauses(one, other).await;
    leases::ends_a_lease_that_is_not_held(one, other).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn the_store_for_tests_conforms() {
        let store = MemoryStore::new();
        check_shared_store(&store, &store.clone()).await;
    }
}
