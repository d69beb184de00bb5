//! What becomes of a token that is saved.

use std::time::Duration;

use auth_core::SharedTokenStore;
use tokio::time::{sleep, timeout};

use super::{
    A_WHILE, PATIENCE,
    asking::{LIFETIME, is_secret, key, loaded, saved, token},
};

pub(super) async fn keeps_what_it_is_given(
    one: &dyn SharedTokenStore,
    other: &dyn SharedTokenStore,
) {
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

pub(super) async fn keeps_what_was_issued_last(
    one: &dyn SharedTokenStore,
    other: &dyn SharedTokenStore,
) {
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

pub(super) async fn forgets_what_has_ended(
    one: &dyn SharedTokenStore,
    other: &dyn SharedTokenStore,
) {
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
