//! A client with write access to the server restores old values, or changes their expiry.

use std::time::Duration;

use auth_redis::{
    RedisStore,
    auth_core::shared_store::{SharedKey, SharedTokenStore},
};
use redis::aio::MultiplexedConnection;

use crate::redis_store::fixture::{
    Fixture, NEW, OLD, another_key, ask, eventually, key, secret, token,
};

const LIFETIME: Duration = Duration::from_secs(600);

/// Ways to store `value` under `name`.
async fn restore(raw: &mut MultiplexedConnection, way: usize, name: &str, value: &[u8]) -> bool {
    let set = |options: &[&str]| {
        let mut command = redis::cmd("SET");
        command.arg(name).arg(value).arg(options).to_owned()
    };
    let mut commands = match way {
        0 => vec![set(&["EX", "600"])],
        1 => vec![set(&[])],
        2 => vec![set(&["PX", "9007199254740991"])],
        3 => vec![redis::cmd("GETSET").arg(name).arg(value).to_owned()],
        4 => vec![
            set(&["PX", "60000"]),
            redis::cmd("PERSIST").arg(name).to_owned(),
        ],
        5 => {
            let elsewhere = format!("{name}-elsewhere");
            vec![
                redis::cmd("SET").arg(&elsewhere).arg(value).to_owned(),
                redis::cmd("RENAME").arg(&elsewhere).arg(name).to_owned(),
                redis::cmd("PEXPIRE").arg(name).arg(600_000).to_owned(),
            ]
        }
        _ => return false,
    };
    for command in &mut commands {
        let _: redis::Value = command.query_async(raw).await.unwrap();
    }
    true
}

/// Saves a token and returns its value.
async fn recorded(
    store: &RedisStore,
    fixture: &Fixture,
    key: &SharedKey,
    given: &auth_redis::auth_core::shared_store::SharedToken,
) -> (String, Vec<u8>) {
    let before = fixture.names("token").await;
    store.save(key, given).await.unwrap();
    let names = fixture.names("token").await;
    let name = names.into_iter().find(|name| !before.contains(name));
    let name = name.expect("a new key");
    let mut raw = fixture.raw().await;
    let value: Vec<u8> = ask(&mut raw, &["GET", &name]).await;
    (name, value)
}

#[tokio::test]
async fn an_ended_token_is_absent_however_it_is_restored() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW, OLD]);
    let ends_soon = token("ended", 0).with_age(LIFETIME - Duration::from_millis(300));
    let (name, value) = recorded(&store, &fixture, &key(), &ends_soon).await;
    let old_ring = fixture.store([OLD]);
    let (old_name, old_value) = recorded(&old_ring, &fixture, &key(), &ends_soon).await;
    eventually("the token has ended", || async {
        store.load(&key()).await.unwrap().is_none().then_some(())
    })
    .await;
    let mut raw = fixture.raw().await;
    for value in [&value, &old_value] {
        for name in [&name, &old_name] {
            let mut way = 0;
            while restore(&mut raw, way, name, value).await {
                let found = store.load(&key()).await.unwrap();
                assert_eq!(secret(found.as_ref()), None, "{way}");
                way += 1;
            }
        }
    }
    // an old value does not keep a token from being saved, however old that is
    store.save(&key(), &token("other", 500)).await.unwrap();
    let found = store.load(&key()).await.unwrap();
    assert_eq!(secret(found.as_ref()), Some("other"));
}

#[tokio::test]
async fn a_restored_token_that_still_lives_keeps_its_age() {
    for ring in [[NEW, OLD], [OLD, NEW]] {
        let fixture = Fixture::new();
        let store = fixture.store(ring);
        let (name, value) = recorded(&store, &fixture, &key(), &token("older", 100)).await;
        let mut raw = fixture.raw().await;
        let mut way = 0;
        while restore(&mut raw, way, &name, &value).await {
            let found = store.load(&key()).await.unwrap().unwrap();
            assert!(found.age() >= Duration::from_secs(100), "{way}: {found:?}");
            assert_eq!(found.lifetime(), LIFETIME);
            way += 1;
        }
        store.save(&key(), &token("younger", 99)).await.unwrap();
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some("younger"));
    }
}

#[tokio::test]
async fn an_expiry_shortens_the_life_of_a_token_and_never_lengthens_it() {
    let plaintext = |fixture: &Fixture| {
        RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .danger_plaintext(true)
            .prefix(&fixture.prefix)
            .build()
            .unwrap()
    };
    for is_sealed in [true, false] {
        let fixture = Fixture::new();
        let store = match is_sealed {
            true => fixture.store([NEW]),
            false => plaintext(&fixture),
        };
        let (name, _) = recorded(&store, &fixture, &key(), &token("abc", 100)).await;
        let mut raw = fixture.raw().await;
        for longer in ["600000", "3600000", "9007199254740"] {
            let _: u64 = ask(&mut raw, &["PEXPIRE", &name, longer]).await;
            let found = store.load(&key()).await.unwrap().unwrap();
            assert!(found.remaining() <= Duration::from_secs(500), "{found:?}");
        }
        let _: u64 = ask(&mut raw, &["PEXPIRE", &name, "60000"]).await;
        let found = store.load(&key()).await.unwrap().unwrap();
        assert!(found.remaining() <= Duration::from_secs(60), "{found:?}");
        // so it is older than this one
        store.save(&key(), &token("def", 500)).await.unwrap();
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some("def"));
    }
}

#[tokio::test]
async fn an_invented_end_keeps_no_token_from_being_saved() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    let (name, _) = recorded(&store, &fixture, &key(), &token("abc", 0)).await;
    let mut raw = fixture.raw().await;
    let now: (u64, u64) = ask(&mut raw, &["TIME"]).await;
    let now = now.0 * 1000;
    for value in [
        format!("auth2:0123456789abcdef:600000:{}:x", now + 600_000),
        format!(
            "auth2:0123456789abcdef:9999999999999:{}:x",
            now + 9_999_999_999_999
        ),
        "auth2:0123456789abcdef:600000:99999999999999999999999:x".to_owned(),
        "auth2:0123456789abcdef:0:0:x".to_owned(),
    ] {
        let () = ask(&mut raw, &["SET", &name, &value]).await;
        assert_eq!(secret(store.load(&key()).await.unwrap().as_ref()), None);
        store.save(&key(), &token("def", 500)).await.unwrap();
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some("def"), "{value}");
    }
}

#[tokio::test]
async fn the_token_of_another_cache_key_is_absent_however_it_is_restored() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    let (name, _) = recorded(&store, &fixture, &key(), &token("abc", 0)).await;
    let (_, other) = recorded(&store, &fixture, &another_key(), &token("other", 0)).await;
    let mut raw = fixture.raw().await;
    let mut way = 0;
    while restore(&mut raw, way, &name, &other).await {
        assert_eq!(secret(store.load(&key()).await.unwrap().as_ref()), None);
        way += 1;
    }
}

/// A process of the version before keeps its token under a name of its own.
#[tokio::test]
async fn processes_of_two_versions_do_not_overwrite_each_others_tokens() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let lease = store.lease(&key()).await.unwrap();
    for part in ["token", "lease"] {
        let name = fixture.name(part).await;
        assert!(name.ends_with(&format!("}}:2:{part}")), "{name}");
    }
    drop(lease);
}
