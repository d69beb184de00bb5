//! Saved tokens: which one a store returns, and for how long.

use std::time::Duration;

use auth_core::shared_store::SharedTokenStore;
use tokio::time::{sleep, timeout};

use super::operations::{
    LIFETIME, PATIENCE, POLL_INTERVAL, assert_is_token, load, random_key, save, token,
};

pub(super) async fn a_saved_token_is_loaded(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let (key, another_key) = (random_key(), random_key());
    assert!(
        load(first, &key).await.is_none(),
        "a key under which no token was saved has none"
    );
    let details = r#"[{"type":"payment","currencies":["EUR"]}]"#;
    let saved = token("abc", 100).with_scope("read write");
    let saved = saved.with_authorization_details(details);
    save(first, &key, &saved).await;
    for store in [first, second] {
        let found = load(store, &key).await;
        assert_is_token(
            found.as_ref(),
            "abc",
            "every handle loads the token that was saved",
        );
        let found = found.unwrap_or(saved.clone());
        assert_eq!(found.lifetime(), LIFETIME, "a token keeps its lifetime");
        assert_eq!(found.scopes(), saved.scopes(), "a token keeps its scopes");
        assert_eq!(
            found.authorization_details(),
            Some(details),
            "a token keeps its authorization details"
        );
        assert!(
            found.remaining() <= saved.remaining()
                && found.remaining() + PATIENCE > saved.remaining(),
            "a token ages by the time that it was in the store: {:?} remained when it was saved, \
             {:?} when it was loaded",
            saved.remaining(),
            found.remaining()
        );
    }
    assert!(
        load(second, &another_key).await.is_none(),
        "a token is loaded under its own key only"
    );
    let without_scope = token("def", 0);
    save(second, &another_key, &without_scope).await;
    let found = load(first, &another_key).await;
    assert_is_token(found.as_ref(), "def", "each key has its own token");
    assert!(
        found.is_some_and(
            |found| found.scopes().is_none() && found.authorization_details().is_none()
        ),
        "a token that was saved without scopes and authorization details is loaded without them"
    );
}

pub(super) async fn the_token_issued_last_is_kept(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let key = random_key();
    save(first, &key, &token("current", 50)).await;
    save(second, &key, &token("older", 200)).await;
    let found = load(first, &key).await;
    assert_is_token(
        found.as_ref(),
        "current",
        "a token does not replace one that was issued later",
    );
    save(second, &key, &token("newer", 0)).await;
    let found = load(first, &key).await;
    assert_is_token(
        found.as_ref(),
        "newer",
        "a token replaces one that was issued earlier",
    );
}

pub(super) async fn an_ended_token_is_not_kept(
    first: &dyn SharedTokenStore,
    second: &dyn SharedTokenStore,
) {
    let key = random_key();
    save(first, &key, &token("ended", 600)).await;
    assert!(
        load(second, &key).await.is_none(),
        "a token that ended before it was saved is not loaded"
    );
    let ends_soon = token("soon", 600).with_age(LIFETIME - Duration::from_millis(200));
    save(first, &key, &ends_soon).await;
    let ended = async {
        while load(second, &key).await.is_some() {
            sleep(POLL_INTERVAL).await;
        }
    };
    assert!(
        timeout(PATIENCE, ended).await.is_ok(),
        "a token is not loaded after it has ended"
    );
    save(first, &key, &token("later", 100)).await;
    let found = load(second, &key).await;
    assert_is_token(
        found.as_ref(),
        "later",
        "a token that has ended does not keep another from being saved",
    );
}
