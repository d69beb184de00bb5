//! The checks that every shared store has to pass.

#![allow(
    clippy::panic,
    reason = "a check that does not pass fails the test that calls it"
)]

mod leases;
mod operations;
mod tokens;

use auth_core::shared_store::SharedTokenStore;

/// Checks that a [`SharedTokenStore`] does what its documentation demands, as far as it can be seen
/// through the trait. For authors of stores. What another client of the database can do to tokens and
/// leases needs tests of its own.
///
/// `first` and `second` are two handles to the same store, as two processes would have. The store
/// need not be empty: the keys are random. The checks take about five times as long as a lease
/// lasts, by tokio's time. That may be paused if the store follows it.
///
/// ```
/// use auth_testing::{MemoryStore, check_shared_store};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let store = MemoryStore::new();
/// check_shared_store(&store, &store.clone()).await;
/// # }
/// ```
///
/// # Panics
/// If the store does not pass a check. The message states the rule.
pub async fn check_shared_store(first: &dyn SharedTokenStore, second: &dyn SharedTokenStore) {
    tokens::a_saved_token_is_loaded(first, second).await;
    tokens::a_saved_token_keeps_its_type(first, second).await;
    tokens::the_token_issued_last_is_kept(first, second).await;
    tokens::an_ended_token_is_not_kept(first, second).await;
    leases::a_lease_has_one_holder(first, second).await;
    leases::waiters_learn_of_changes(first, second).await;
    leases::a_lease_released_for_later_stays_taken(first, second).await;
    leases::a_lease_ends_unless_it_is_held(first, second).await;
    leases::a_former_holder_keeps_no_process_waiting(first, second).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_store::memory_store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn memory_store_passes() {
        let store = MemoryStore::new();
        check_shared_store(&store, &store.clone()).await;
    }
}
