//! What every store that processes share has to do.

// it is there to fail the test that calls it
#![allow(clippy::panic)]

use std::{future::Future, time::Duration};

use auth_core::{Lease, SharedKey, SharedToken, SharedTokenStore, TokenRequest};
use tokio::time::{Instant, sleep, timeout};

/// No store keeps a lease, or an ended token, for so long.
const PATIENCE: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_millis(20);
const LIFETIME: Duration = Duration::from_secs(600);

/// Takes a [`SharedTokenStore`] through everything its documentation demands; for authors of one.
///
/// `one` and `other` are two handles to the same store, such as two processes would have. Nothing
/// has to be empty: the keys are drawn at random. It takes about four times as long as a lease
/// lasts, in tokio's time, which may be paused if the store follows it.
///
/// # Panics
/// With what the store does not do.
pub async fn check_shared_store(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    keeps_what_it_is_given(one, other).await;
    keeps_what_was_issued_last(one, other).await;
    forgets_what_has_ended(one, other).await;
    gives_one_lease(one, other).await;
    tells_of_changes(one, other).await;
    pauses(one, other).await;
    ends_a_lease_that_is_not_held(one, other).await;
}

fn key() -> SharedKey {
    let random = format!("{:032x}", fastrand::u128(..));
    SharedKey::new(["conformance", &random], &TokenRequest::default())
}

fn token(secret: &str, age: u64) -> SharedToken {
    let token = SharedToken::bearer(secret).unwrap_or_else(|error| panic!("{error}"));
    token.lifetime(LIFETIME).age(Duration::from_secs(age))
}

async fn loaded(store: &dyn SharedTokenStore, key: &SharedKey) -> Option<SharedToken> {
    answer("load", store.load(key)).await
}

async fn saved(store: &dyn SharedTokenStore, key: &SharedKey, token: &SharedToken) {
    answer("save", store.save(key, token)).await;
}

async fn leased(store: &dyn SharedTokenStore, key: &SharedKey) -> Option<Box<dyn Lease>> {
    answer("lease", store.lease(key)).await
}

async fn answer<T>(
    operation: &str,
    outcome: impl Future<Output = Result<T, auth_core::Error>>,
) -> T {
    match timeout(PATIENCE, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => panic!("{operation}: expected it to work, got: {error}"),
        Err(_) => panic!("{operation}: expected an answer within {PATIENCE:?}, got none"),
    }
}

#[track_caller]
fn is_secret(found: Option<&SharedToken>, secret: &str, rule: &str) {
    let found = found.map(SharedToken::secret);
    assert!(
        found == Some(secret),
        "{rule}; there is {}",
        match found {
            None => "none",
            Some(_) => "another",
        }
    );
}

async fn keeps_what_it_is_given(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    let (key, another) = (key(), key());
    assert!(
        loaded(one, &key).await.is_none(),
        "there is nothing before anything was saved"
    );
    let given = token("abc", 100).scope("read write");
    saved(one, &key, &given).await;
    for store in [one, other] {
        let found = loaded(store, &key).await;
        is_secret(
            found.as_ref(),
            "abc",
            "what was saved is found through every handle",
        );
        let found = found.unwrap_or(given.clone());
        assert_eq!(
            found.full_lifetime(),
            LIFETIME,
            "a token keeps its lifetime"
        );
        assert_eq!(found.granted(), given.granted(), "a token keeps its scope");
        assert!(
            found.left() <= given.left() && found.left() + PATIENCE > given.left(),
            "a token grows older by the time it was kept: {:?} were left, and now {:?}",
            given.left(),
            found.left()
        );
    }
    assert!(
        loaded(other, &another).await.is_none(),
        "another key has another token"
    );
    let silent = token("def", 0);
    saved(other, &another, &silent).await;
    let found = loaded(one, &another).await;
    is_secret(found.as_ref(), "def", "each key has its own token");
    assert!(
        found.is_some_and(|found| found.granted().is_none()),
        "a scope that was not told is not told"
    );
}

async fn keeps_what_was_issued_last(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    let key = key();
    saved(one, &key, &token("middle", 50)).await;
    saved(other, &key, &token("late", 200)).await;
    let found = loaded(one, &key).await;
    is_secret(
        found.as_ref(),
        "middle",
        "a token that was issued earlier does not displace one",
    );
    saved(other, &key, &token("new", 0)).await;
    let found = loaded(one, &key).await;
    is_secret(found.as_ref(), "new", "a token that was issued later does");
}

async fn forgets_what_has_ended(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
    let key = key();
    saved(one, &key, &token("ended", 600)).await;
    assert!(
        loaded(other, &key).await.is_none(),
        "a token that has ended is not kept"
    );
    let short = token("short", 600).age(LIFETIME - Duration::from_millis(200));
    saved(one, &key, &short).await;
    let ended = async {
        while loaded(other, &key).await.is_some() {
            sleep(A_WHILE).await;
        }
    };
    assert!(
        timeout(PATIENCE, ended).await.is_ok(),
        "a token is forgotten when it ends"
    );
    saved(one, &key, &token("later", 100)).await;
    let found = loaded(other, &key).await;
    is_secret(found.as_ref(), "later", "what has ended keeps nothing out");
}

async fn gives_one_lease(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
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

async fn tells_of_changes(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
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

async fn pauses(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
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

async fn ends_a_lease_that_is_not_held(one: &dyn SharedTokenStore, other: &dyn SharedTokenStore) {
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
