//! Helpers of the tests: a store, a raw connection, keys, tokens and deadlines.

use std::{future::Future, time::Duration};

use auth_core::{
    TokenRequest,
    shared_store::{SharedKey, SharedToken},
};
use auth_redis::{RedisStore, SealKeys, auth_core};
use redis::{Client, FromRedisValue, aio::MultiplexedConnection};
use tokio::time::{sleep, timeout};

pub(crate) const OLD: [u8; 32] = *b"the old seal key of interop test";
pub(crate) const NEW: [u8; 32] = *b"the new seal key of interop test";
/// The limit for an expected event; much longer than it takes.
const DEADLINE: Duration = Duration::from_secs(30);
const LIFETIME: Duration = Duration::from_secs(600);

/// A server, and a prefix that no other test uses.
pub(crate) struct Fixture {
    url: String,
    pub(crate) prefix: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let name = "AUTH_TEST_REDIS_URL";
        let url = std::env::var(name)
            .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"));
        Self::at(url)
    }

    pub(crate) fn at(url: String) -> Self {
        let prefix = format!("test-{:032x}", fastrand::u128(..));
        Self { url, prefix }
    }

    /// Returns the store of a process with this ring of seal keys.
    pub(crate) fn store<const N: usize>(&self, ring: [[u8; 32]; N]) -> RedisStore {
        let store = RedisStore::builder(&self.url)
            .seal_keys(SealKeys::new(ring).unwrap())
            .prefix(&self.prefix);
        store.build().unwrap()
    }

    pub(crate) async fn raw(&self) -> MultiplexedConnection {
        raw(&self.url).await
    }

    /// Returns the names of the keys that end with `part`.
    pub(crate) async fn names(&self, part: &str) -> Vec<String> {
        let mut raw = self.raw().await;
        let pattern = format!("{}:*:{part}", self.prefix);
        ask(&mut raw, &["KEYS", &pattern]).await
    }

    /// Returns the name of the only key that ends with `part`.
    pub(crate) async fn name(&self, part: &str) -> String {
        let names = self.names(part).await;
        let [name] = &names[..] else {
            panic!("expected one name, got {names:?}");
        };
        name.clone()
    }
}

pub(crate) async fn raw(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

pub(crate) async fn ask<T: FromRedisValue>(raw: &mut MultiplexedConnection, command: &[&str]) -> T {
    let (name, arguments) = command.split_first().unwrap();
    redis::cmd(name)
        .arg(arguments)
        .query_async(raw)
        .await
        .unwrap()
}

pub(crate) fn key() -> SharedKey {
    SharedKey::new(["interop"], &TokenRequest::default())
}

pub(crate) fn another_key() -> SharedKey {
    SharedKey::new(["another"], &TokenRequest::default())
}

/// A token with a lifetime of 600 s that was issued `age` seconds ago.
pub(crate) fn token(secret: &str, age: u64) -> SharedToken {
    let token = SharedToken::bearer(secret).unwrap();
    token
        .with_lifetime(LIFETIME)
        .with_age(Duration::from_secs(age))
}

pub(crate) fn secret(token: Option<&SharedToken>) -> Option<&str> {
    token.map(SharedToken::secret)
}

/// Repeats `ask` until it returns a value.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let answer = timeout(DEADLINE, asked).await;
    answer.unwrap_or_else(|_| panic!("{what}: not within the deadline"))
}

/// Awaits `outcome` for at most the deadline.
pub(crate) async fn with_timeout<T>(what: &str, outcome: impl Future<Output = T>) -> T {
    let outcome = timeout(DEADLINE, outcome).await;
    outcome.unwrap_or_else(|_| panic!("{what}: not within the deadline"))
}
