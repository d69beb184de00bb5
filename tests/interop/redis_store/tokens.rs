use std::time::Duration;

use auth_redis::auth_core::shared_store::SharedTokenStore;

use crate::redis_store::fixture::{Fixture, NEW, OLD, another_key, ask, key, secret, token};

#[tokio::test]
async fn a_token_comes_back_with_its_lifetime_its_age_and_its_scope() {
    let fixture = Fixture::new();
    let given = token("abc", 100).with_scope("read write");
    fixture.store([NEW]).save(&key(), &given).await.unwrap();

    let found = fixture.store([NEW]).load(&key()).await.unwrap().unwrap();
    assert_eq!(found.secret(), "abc");
    assert_eq!(found.lifetime(), Duration::from_secs(600));
    assert_eq!(found.scopes(), given.scopes());
    assert!(found.remaining() <= given.remaining(), "{found:?}");
    assert!(
        found.remaining() > given.remaining() - Duration::from_secs(60),
        "{found:?}"
    );
}

#[tokio::test]
async fn stored_names_and_values_reveal_nothing() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    store.save(&key(), &token("s3cr3t", 0)).await.unwrap();

    let name = fixture.name("token").await;
    let mut raw = fixture.raw().await;
    let value: Vec<u8> = ask(&mut raw, &["GET", &name]).await;
    for shown in [name.as_bytes(), &value] {
        let shown = String::from_utf8_lossy(shown);
        assert!(
            !shown.contains("s3cr3t") && !shown.contains("interop"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn tokens_stay_shared_while_the_seal_keys_are_rotated() {
    let fixture = Fixture::new();
    let rings = [
        fixture.store([OLD]),
        fixture.store([OLD, NEW]),
        fixture.store([NEW, OLD]),
        fixture.store([NEW]),
    ];
    for (at, writer) in rings.iter().enumerate() {
        let issued = format!("issued-{at}");
        writer.save(&key(), &token(&issued, 0)).await.unwrap();
        // the rings that are in use at the same time during the rotation
        let neighbors = at.saturating_sub(1)..=(at + 1).min(3);
        for (reader, store) in rings.iter().enumerate() {
            if neighbors.contains(&reader) {
                let found = store.load(&key()).await.unwrap();
                assert_eq!(
                    secret(found.as_ref()),
                    Some(issued.as_str()),
                    "{at} to {reader}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_younger_token_is_loaded_whichever_key_sealed_it() {
    for (young, old) in [(OLD, NEW), (NEW, OLD)] {
        let fixture = Fixture::new();
        fixture
            .store([young])
            .save(&key(), &token("young", 10))
            .await
            .unwrap();
        fixture
            .store([old])
            .save(&key(), &token("old", 20))
            .await
            .unwrap();
        for ring in [[OLD, NEW], [NEW, OLD]] {
            let found = fixture.store(ring).load(&key()).await.unwrap();
            assert_eq!(secret(found.as_ref()), Some("young"));
        }
    }
}

/// Checks this for a value after the command `change`, its name, `arguments`.
async fn is_absent_and_replaced(change: &[&str], arguments: &[&str]) {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let name = fixture.name("token").await;
    let mut raw = fixture.raw().await;
    let command = [change, &[&name], arguments].concat();
    let _: redis::Value = ask(&mut raw, &command).await;

    let found = store.load(&key()).await.unwrap();
    assert_eq!(secret(found.as_ref()), None, "{command:?}");
    // this token is older than the unreadable value claims to be
    store.save(&key(), &token("def", 100)).await.unwrap();
    let found = store.load(&key()).await.unwrap();
    assert_eq!(secret(found.as_ref()), Some("def"), "{command:?}");
}

#[tokio::test]
async fn an_unreadable_value_is_absent_and_replaced() {
    is_absent_and_replaced(&["SET"], &["something else"]).await;
    is_absent_and_replaced(&["SET"], &["something else", "EX", "1000"]).await;
    is_absent_and_replaced(
        &["SET"],
        &["auth2:plain:600000:99999999999999:\0abc", "EX", "600"],
    )
    .await;
    is_absent_and_replaced(&["SET"], &["auth1:plain:600000:\0abc", "EX", "600"]).await;
    // changes two bytes of the nonce
    is_absent_and_replaced(&["BITFIELD"], &["INCRBY", "u16", "384", "1"]).await;
    is_absent_and_replaced(&["APPEND"], &["x"]).await;
}

#[tokio::test]
async fn a_value_of_another_type_is_absent_and_replaced() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let name = fixture.name("token").await;
    let mut raw = fixture.raw().await;
    let () = ask(&mut raw, &["DEL", &name]).await;
    let () = ask(&mut raw, &["RPUSH", &name, "abc"]).await;

    assert_eq!(secret(store.load(&key()).await.unwrap().as_ref()), None);
    store.save(&key(), &token("def", 0)).await.unwrap();
    assert_eq!(
        secret(store.load(&key()).await.unwrap().as_ref()),
        Some("def")
    );
}

#[tokio::test]
async fn the_value_of_another_cache_key_is_absent() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let own = fixture.name("token").await;
    store
        .save(&another_key(), &token("other", 0))
        .await
        .unwrap();
    let names = fixture.names("token").await;
    let other = names.iter().find(|name| **name != own).unwrap();
    let mut raw = fixture.raw().await;
    let () = ask(&mut raw, &["RENAME", other, &own]).await;

    assert_eq!(secret(store.load(&key()).await.unwrap().as_ref()), None);
}
