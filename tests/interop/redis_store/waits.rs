//! Processes that wait for the holder of a lease that exists, and that obtains no token for a long time.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_redis::{
    RedisStore, SealKeys,
    auth_core::{
        Error, RefreshPolicy, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
        shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
    },
};
use redis::Value;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::redis_store::fixture::{Fixture, NEW, OLD, ask, key, with_timeout};

/// A source whose authorization server does not respond.
#[derive(Clone, Debug, Default)]
struct Unresponsive {
    requests: Arc<watch::Sender<usize>>,
}

#[async_trait]
impl TokenSource for Unresponsive {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        self.requests.send_modify(|requests| *requests += 1);
        pending().await
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["unresponsive"], request))
    }
}

/// A store that counts the waits which were given up.
#[derive(Debug)]
struct Counting {
    store: RedisStore,
    given_up: Arc<AtomicUsize>,
}

#[async_trait]
impl SharedTokenStore for Counting {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.store.load(key).await
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        self.store.save(key, token).await
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let lease = self.store.lease(key).await;
        if let Err(error) = &lease
            && error.to_string().contains("left neither a token")
        {
            self.given_up.fetch_add(1, Relaxed);
        }
        lease
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.store.changed(key).await
    }

    fn patience(&self) -> Duration {
        self.store.patience()
    }
}

/// Each attempt ends with a claim to back off. Waiters that do not see it, and look at the fallback lease
/// once in an attempt, gave up in the third attempt; all of them then requested tokens at once.
#[tokio::test]
async fn an_unresponsive_authorization_server_ends_no_wait() {
    let fixture = Fixture::new();
    let source = Unresponsive::default();
    let given_up = Arc::new(AtomicUsize::new(0));
    let mut processes = JoinSet::new();
    for _ in 0..8 {
        let store = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .seal_keys(SealKeys::new([NEW]).unwrap())
            .prefix(&fixture.prefix)
            .lease(Duration::from_secs(2));
        let store = Counting {
            store: store.build().unwrap(),
            given_up: given_up.clone(),
        };
        let policy = RefreshPolicy::builder().attempt_timeout(Duration::from_secs(3));
        let cache = TokenCache::builder(source.clone())
            .shared_store(store)
            .refresh_policy(policy.build().unwrap())
            .build();
        processes.spawn(async move {
            loop {
                let error = cache.token().await.unwrap_err();
                sleep(error.retry_after().unwrap_or_default()).await;
            }
        });
    }
    // in each attempt the holders of the lease and of the fallback lease request a token
    let mut requests = source.requests.subscribe();
    let requested = requests.wait_for(|requests| *requests >= 8);
    with_timeout("four attempts", requested).await.unwrap();
    assert_eq!(given_up.load(Relaxed), 0);
}

/// During a rotation of the seal key a lease has one place for each key. A claim in one of them, written
/// while the other is held, looked like another holder to all waiters.
#[tokio::test]
async fn an_attempt_to_acquire_a_held_lease_writes_nothing_to_its_free_places() {
    for (held, free) in [(OLD, NEW), (NEW, OLD)] {
        let fixture = Fixture::new();
        let lease = fixture.store([free]).lease(&key()).await.unwrap();
        let name = fixture.name("lease").await;
        lease.unwrap().release().await.unwrap();
        let lease = fixture.store([held]).lease(&key()).await.unwrap().unwrap();
        let mut raw = fixture.raw().await;
        let () = ask(&mut raw, &["WATCH", &name]).await;
        let taken = fixture.store([OLD, NEW]).lease(&key()).await.unwrap();
        assert!(taken.is_none());
        let () = ask(&mut raw, &["MULTI"]).await;
        let _: Value = ask(&mut raw, &["PING"]).await;
        // `nil` if the watched key has changed
        let unchanged: Value = ask(&mut raw, &["EXEC"]).await;
        assert_ne!(unchanged, Value::Nil);
        lease.release().await.unwrap();
    }
}
