//! Who may ask for a token, and what those who wait are told.

use std::time::Duration;

use auth_core::SharedTokenStore;
use tokio::time::{Instant, sleep, timeout};

use super::{
    A_WHILE, PATIENCE,
    asking::{answer, key, leased, loaded, saved, token},
};

pub(super) async fn gives_one_lease(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    let (key, another) = (key(), key());
    let Some(lease) = leased(one, &key).await else {
        panic!("a lease that nobody has is given");
    };
    assert!(
        leased(other, &key).await.is_none(),
        "a lease is given to one only"
    );
    assert!(
        leased(one, &key).await.is_none(),
        "not twice through the same handle either"
    );
    let Some(second) = leased(other, &another).await else {
        panic!("another key has another lease");
    };
    saved(other, &key, &token("abc", 0)).await;
    assert!(
        leased(other, &key).await.is_none(),
        "to save a token ends no lease"
    );
    answer("release", lease.release()).await;
    let Some(next) = leased(other, &key).await else {
        panic!("a lease that was given back is given again");
    };
    answer("release", next.release()).await;
    answer("release", second.release()).await;
}

pub(super) async fn tells_of_changes(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    let key = key();
    answer("changed, with no lease", other.changed(&key)).await;
    let Some(lease) = leased(one, &key).await else {
        panic!("a lease that nobody has is given");
    };
    let waiting = async {
        // it may complete for no reason, but a token has to be there in the end
        while loaded(other, &key).await.is_none() {
            answer("changed, with a token saved meanwhile", other.changed(&key)).await;
        }
    };
    let minted = token("abc", 0);
    let saving = async {
        sleep(A_WHILE).await;
        saved(one, &key, &minted).await;
    };
    tokio::join!(waiting, saving);
    let releasing = async {
        sleep(A_WHILE).await;
        answer("release", lease.release()).await;
    };
    let waiting = async {
        loop {
            answer(
                "changed, with the lease given back meanwhile",
                other.changed(&key),
            )
            .await;
            if let Some(lease) = leased(other, &key).await {
                break lease;
            }
        }
    };
    let (lease, ()) = tokio::join!(waiting, releasing);
    answer("release", lease.release()).await;
}

pub(super) async fn pauses(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    const PAUSE: Duration = Duration::from_millis(400);
    let key = key();
    let Some(lease) = leased(one, &key).await else {
        panic!("a lease that nobody has is given");
    };
    let started = Instant::now();
    answer("release after a pause", lease.release_after(PAUSE)).await;
    let next = async {
        loop {
            if let Some(lease) = leased(other, &key).await {
                return lease;
            }
            sleep(A_WHILE).await;
        }
    };
    let Ok(next) = timeout(PATIENCE, next).await else {
        panic!("a lease that was given back for later is given then");
    };
    let paused = started.elapsed() + A_WHILE;
    assert!(
        paused >= PAUSE,
        "a lease that was given back for later is not given before"
    );
    answer("release", next.release()).await;
}

pub(super) async fn ends_a_lease_that_is_not_held(
    one: &dyn SharedTokenStore,
    other: &dyn SharedTokenStore,
) {
    let key = key();
    let Some(lost) = leased(one, &key).await else {
        panic!("a lease that nobody has is given");
    };
    let started = Instant::now();
    let next = async {
        loop {
            if let Some(lease) = leased(other, &key).await {
                return lease;
            }
            sleep(A_WHILE).await;
        }
    };
    let Ok(lease) = timeout(PATIENCE, next).await else {
        panic!("a lease that is not held ends by itself, within {PATIENCE:?}");
    };
    let lasted = started.elapsed();
    answer("release of a lease that was lost", lost.release()).await;
    assert!(
        leased(one, &key).await.is_none(),
        "a lost lease cannot be given back"
    );
    let never = timeout(lasted * 2, lease.hold()).await;
    assert!(never.is_err(), "to hold a lease never completes");
    assert!(
        leased(one, &key).await.is_none(),
        "a lease that is held does not end"
    );
    answer("release", lease.release()).await;
    assert!(
        leased(one, &key).await.is_some(),
        "a lease that was held can be given back"
    );
}
