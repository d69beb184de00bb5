//! Leases: which process may request a token, and how waiters learn of changes.

use std::time::Duration;

use auth_core::shared_store::{Lease, SharedKey, SharedTokenStore};
use tokio::time::{Instant, sleep, timeout};

use super::operations::{PATIENCE, POLL_INTERVAL, lease, load, outcome, random_key, save, token};

/// Acquires a lease that is free.
async fn acquire(store: &dyn SharedTokenStore, key: &SharedKey, rule: &str) -> Box<dyn Lease> {
    let Some(lease) = lease(store, key).await else {
        panic!("{rule}; lease returned None");
    };
    lease
}

/// Tries to acquire a lease until it is free.
async fn acquire_later(
    store: &dyn SharedTokenStore,
    key: &SharedKey,
    rule: &str,
) -> Box<dyn Lease> {
    let acquired = async {
        loop {
            if let Some(lease) = lease(store, key).await {
                return lease;
            }
            sleep(POLL_INTERVAL).await;
        }
    };
    let Ok(lease) = timeout(PATIENCE, acquired).await else {
        panic!("{rule}; lease returned None for {PATIENCE:?}");
    };
    lease
}

const FREE: &str = "a free lease is acquired";

pub(super) async fn a_lease_has_one_holder(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let (key, another_key) = (random_key(), random_key());
    let held = acquire(first, &key, FREE).await;
    assert!(
        lease(second, &key).await.is_none(),
        "a lease that has a holder is not acquired"
    );
    assert!(
        lease(first, &key).await.is_none(),
        "a lease that has a holder is not acquired through the same handle either"
    );
    let another = acquire(second, &another_key, "each key has its own lease").await;
    save(second, &key, &token("abc", 0)).await;
    assert!(
        lease(second, &key).await.is_none(),
        "saving a token does not end the lease"
    );
    outcome("release", held.release()).await;
    let next = acquire(second, &key, "a lease that was released is free").await;
    outcome("release", next.release()).await;
    outcome("release", another.release()).await;
}

pub(super) async fn waiters_learn_of_changes(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let key = random_key();
    outcome("changed, while the lease is free", second.changed(&key)).await;
    let held = acquire(first, &key, FREE).await;
    let waiting = async {
        // `changed` may complete for no reason, but the token has to be there in the end
        while load(second, &key).await.is_none() {
            outcome("changed, while a token is saved", second.changed(&key)).await;
        }
    };
    let issued = token("abc", 0);
    let saving = async {
        sleep(POLL_INTERVAL).await;
        save(first, &key, &issued).await;
    };
    tokio::join!(waiting, saving);
    let releasing = async {
        sleep(POLL_INTERVAL).await;
        outcome("release", held.release()).await;
    };
    let waiting = async {
        loop {
            outcome("changed, while the lease is released", second.changed(&key)).await;
            if let Some(lease) = lease(second, &key).await {
                break lease;
            }
        }
    };
    let (next, ()) = tokio::join!(waiting, releasing);
    outcome("release", next.release()).await;
}

pub(super) async fn a_lease_released_for_later_stays_taken(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    const WAIT: Duration = Duration::from_millis(400);
    let key = random_key();
    let held = acquire(first, &key, FREE).await;
    let started = Instant::now();
    outcome("release_after", held.release_after(WAIT)).await;
    let next = acquire_later(
        second,
        &key,
        "a lease that was released for later is free after the wait",
    )
    .await;
    // a store may round the end of a lease
    let waited = started.elapsed() + POLL_INTERVAL;
    assert!(
        waited >= WAIT,
        "a lease that was released for later is not acquired before the wait is over"
    );
    outcome("release", next.release()).await;
}

pub(super) async fn a_lease_ends_unless_it_is_held(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let key = random_key();
    let lost = acquire(first, &key, FREE).await;
    let started = Instant::now();
    let current = acquire_later(second, &key, "a lease that is not held ends by itself").await;
    let lasted = started.elapsed();
    outcome("release of a lease that has ended", lost.release()).await;
    assert!(
        lease(first, &key).await.is_none(),
        "releasing a lease that has ended does not end the lease of the next holder"
    );
    let held = timeout(lasted * 2, current.hold()).await;
    assert!(held.is_err(), "hold never completes");
    assert!(
        lease(first, &key).await.is_none(),
        "a lease that is held does not end"
    );
    outcome("release", current.release()).await;
    assert!(
        lease(first, &key).await.is_some(),
        "a lease that was held is free after its release"
    );
}

pub(super) async fn a_former_holder_keeps_no_process_waiting(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let key = random_key();
    let lost = acquire(first, &key, FREE).await;
    let current = acquire_later(second, &key, "a lease that is not held ends by itself").await;
    let held = timeout(POLL_INTERVAL, lost.hold()).await;
    assert!(held.is_err(), "hold never completes");
    outcome(
        "release_after of a lease that has ended",
        lost.release_after(PATIENCE / 6),
    )
    .await;
    outcome("release", current.release()).await;
    let next = acquire(
        first,
        &key,
        "a holder whose lease has ended cannot keep the lease from other processes",
    )
    .await;
    outcome("release", next.release()).await;
}
