//! A client restores the claim of each holder after its lease was returned. The bound of the wait is one and
//! a half times the lease; the tests of `auth_redis::waits` check it with a simulated clock.

use std::time::Duration;

use auth_redis::{
    RedisStore, SealKeys,
    auth_core::shared_store::{SharedKey, SharedTokenStore, internal::Need},
};

use crate::redis_store::fixture::{Fixture, NEW, ask, eventually, key, token};

/// Who acquires and returns the lease.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holder {
    AnotherProcess,
    AnotherCacheOfTheProcess,
    /// It has no turn for its token request.
    TheCacheItself,
}

/// What happens to the token of each holder.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Deleted,
    /// It ends so early that no cache uses it.
    Shortened,
    /// The cache that waits cannot use it: it rejected the tokens of others too often.
    Useless,
}

fn process(fixture: &Fixture) -> RedisStore {
    let store = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
        .seal_keys(SealKeys::new([NEW]).unwrap())
        .prefix(&fixture.prefix)
        .lease(Duration::from_secs(1));
    store.build().unwrap()
}

/// Acquires the lease if it is free, saves a token, returns the lease, and restores its claim. Returns
/// whether the caller has waited for long enough.
async fn hold(fixture: &Fixture, store: &RedisStore, key: &SharedKey, left: Token) -> bool {
    let lease = match store.lease(key).await {
        Ok(Some(lease)) => lease,
        held => return held.is_err(),
    };
    let name = fixture.name("lease").await;
    let mut raw = fixture.raw().await;
    let claim: String = ask(&mut raw, &["GET", &name]).await;
    if left != Token::Deleted {
        store.save(key, &token(&claim, 0)).await.unwrap();
    }
    if left == Token::Shortened {
        let token = fixture.name("token").await;
        let () = ask(&mut raw, &["PEXPIRE", &token, "20000"]).await;
    }
    lease.release().await.unwrap();
    let () = ask(&mut raw, &["SET", &name, &claim]).await;
    false
}

/// Waits until a cache gives up its wait. Each holder leaves a claim behind that is restored.
async fn gives_up(holder: Holder, left: Token) {
    let fixture = Fixture::new();
    let (waiter, other) = (process(&fixture), process(&fixture));
    let waiting = key().with_need(Need::new(1, 0));
    eventually(&format!("{holder:?}, {left:?}"), async || {
        // the other cache gets its token in each round
        let of_another = key().with_need(Need::new(2, fastrand::u64(..)));
        match holder {
            Holder::AnotherProcess => _ = hold(&fixture, &other, &of_another, left).await,
            Holder::AnotherCacheOfTheProcess => {
                _ = hold(&fixture, &waiter, &of_another, left).await;
            }
            Holder::TheCacheItself => {}
        }
        waiter.load(&waiting).await.unwrap();
        hold(&fixture, &waiter, &waiting, left).await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn holders_whose_tokens_are_deleted_end_no_wait() {
    gives_up(Holder::AnotherProcess, Token::Deleted).await;
}

#[tokio::test]
async fn a_token_whose_life_is_shortened_ends_no_wait() {
    gives_up(Holder::AnotherProcess, Token::Shortened).await;
}

#[tokio::test]
async fn a_token_that_the_cache_cannot_use_ends_no_wait() {
    gives_up(Holder::AnotherProcess, Token::Useless).await;
}

#[tokio::test]
async fn another_cache_of_the_process_that_acquires_the_lease_ends_no_wait() {
    for left in [Token::Deleted, Token::Shortened, Token::Useless] {
        gives_up(Holder::AnotherCacheOfTheProcess, left).await;
    }
}

#[tokio::test]
async fn a_lease_that_is_returned_without_a_token_request_ends_no_wait() {
    gives_up(Holder::TheCacheItself, Token::Deleted).await;
}
