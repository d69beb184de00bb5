use std::time::Duration;

use auth_redis::{RedisStore, auth_core::shared_store::SharedTokenStore};

use crate::redis_store::fixture::{Fixture, NEW, OLD, another_key, ask, eventually, key};

async fn is_free(store: &RedisStore) -> bool {
    match store.lease(&key()).await.unwrap() {
        Some(lease) => lease.release().await.is_ok(),
        None => false,
    }
}

#[tokio::test]
async fn processes_with_a_key_in_common_exclude_each_other() {
    let fixture = Fixture::new();
    for (one, other) in [
        (fixture.store([OLD, NEW]), fixture.store([NEW, OLD])),
        (fixture.store([NEW, OLD]), fixture.store([OLD, NEW])),
    ] {
        let lease = one.lease(&key()).await.unwrap().unwrap();
        assert!(!is_free(&other).await);
        lease.release().await.unwrap();
        assert!(is_free(&other).await);
    }
    for (ring, key) in [([OLD, NEW], OLD), ([NEW, OLD], OLD), ([OLD, NEW], NEW)] {
        let (many, one) = (fixture.store(ring), fixture.store([key]));
        let lease = many
            .lease(&crate::redis_store::fixture::key())
            .await
            .unwrap()
            .unwrap();
        assert!(!is_free(&one).await);
        lease.release().await.unwrap();
        let lease = one
            .lease(&crate::redis_store::fixture::key())
            .await
            .unwrap()
            .unwrap();
        assert!(!is_free(&many).await);
        lease.release().await.unwrap();
    }
    assert_eq!(fixture.names("lease").await, Vec::<String>::new());
}

#[tokio::test]
async fn one_of_two_concurrent_attempts_succeeds_whatever_the_order_of_the_rings() {
    let fixture = Fixture::new();
    let (one, other) = (fixture.store([OLD, NEW]), fixture.store([NEW, OLD]));
    let key = key();
    for _ in 0..50 {
        let (one, other) = tokio::join!(one.lease(&key), other.lease(&key));
        let leases = [one.unwrap(), other.unwrap()];
        let acquired: Vec<_> = leases.into_iter().flatten().collect();
        assert_eq!(acquired.len(), 1);
        for lease in acquired {
            lease.release().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_lease_is_released() {
    let fixture = Fixture::new();
    let (one, other) = (fixture.store([NEW]), fixture.store([NEW]));
    let lease = one.lease(&key()).await.unwrap().unwrap();
    assert!(!is_free(&other).await);
    drop(lease);
    eventually("the lease is free", || async {
        is_free(&other).await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_process_does_not_release_the_lease_of_another_holder() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let name = fixture.name("lease").await;
    let mut raw = fixture.raw().await;
    let () = ask(&mut raw, &["SET", &name, "another", "PX", "60000"]).await;

    lease.release().await.unwrap();
    let holder: String = ask(&mut raw, &["GET", &name]).await;
    assert_eq!(holder, "another");
}

#[tokio::test]
async fn a_process_does_not_extend_the_lease_of_another_holder() {
    let fixture = Fixture::new();
    let store = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
        .danger_plaintext(true)
        .prefix(&fixture.prefix)
        .lease(Duration::from_secs(1));
    let store = store.build().unwrap();
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let name = fixture.name("lease").await;
    let mut raw = fixture.raw().await;
    let () = ask(&mut raw, &["DEL", &name]).await;
    let another = store.lease(&key()).await.unwrap().unwrap();
    let value: String = ask(&mut raw, &["GET", &name]).await;

    // a lease is extended several times in this period
    let held = tokio::time::timeout(Duration::from_millis(800), lease.hold()).await;
    assert!(held.is_err());
    let held: String = ask(&mut raw, &["GET", &name]).await;
    assert_eq!(held, value);
    drop(another);
}

#[tokio::test]
async fn a_key_that_never_expires_is_not_a_lease() {
    for change in [&["PERSIST"][..], &["PEXPIRE", "3600000"]] {
        let fixture = Fixture::new();
        let store = fixture.store([NEW]);
        let lease = store.lease(&key()).await.unwrap().unwrap();
        let name = fixture.name("lease").await;
        let mut raw = fixture.raw().await;
        let () = ask(&mut raw, &["SET", &name, "something else", "KEEPTTL"]).await;
        let command = [&[change[0], &name], &change[1..]].concat();
        let changed: i64 = ask(&mut raw, &command).await;
        assert_eq!(changed, 1);

        store.changed(&key()).await.unwrap();
        assert!(is_free(&store).await, "{change:?}");
        drop(lease);
    }
}

#[tokio::test]
async fn each_cache_key_has_its_own_lease() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW, OLD]);
    let one = store.lease(&key()).await.unwrap();
    let other = store.lease(&another_key()).await.unwrap();
    assert!(one.is_some() && other.is_some());
}
