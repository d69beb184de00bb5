//! Tokens that are too large to be loaded are not saved.

use auth_redis::auth_core::{ErrorKind, shared_store::SharedTokenStore};

use crate::redis_store::{
    fixture::{Fixture, NEW, ask, key, raw, secret, token},
    server::Server,
};

const MAX: usize = (1 << 20) - 1024;

async fn received_bytes(server: &Server) -> u64 {
    let mut raw = raw(&server.url()).await;
    let stats: String = ask(&mut raw, &["INFO", "stats"]).await;
    let name = "total_net_input_bytes:";
    let bytes = stats.lines().find_map(|line| line.strip_prefix(name));
    bytes.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_token_larger_than_a_load_accepts_is_an_error_and_is_not_sent() {
    let server = Server::start(&[]).await;
    let store = Fixture::at(server.url()).store([NEW]);
    store.save(&key(), &token("abc", 100)).await.unwrap();
    let before = received_bytes(&server).await;
    // the token itself has at most 64 KiB
    let longest = "a".repeat(1 << 16);
    for large in [
        token("abc", 0).with_scope(&"a".repeat(MAX - 2)),
        token("abc", 0).with_scope(&"a".repeat(50 << 20)),
        token(&longest, 0).with_scope(&"a".repeat(MAX - (1 << 16) + 1)),
    ] {
        let error = store.save(&key(), &large).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SharedStore);
        let shown = error.to_string();
        assert!(shown.contains("is not saved in Redis"), "{shown}");
        assert!(
            shown.contains(&format!("expected at most {MAX}")),
            "{shown}"
        );
        assert!(!shown.contains("aaa"), "{shown}");
    }
    assert!(received_bytes(&server).await - before < 4096);
    // the token from before is still there
    let found = store.load(&key()).await.unwrap();
    assert_eq!(secret(found.as_ref()), Some("abc"));
}

#[tokio::test]
async fn every_token_that_is_saved_can_be_loaded() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    for (length, scopes) in [(1, 1), (900, 900), (1 << 16, 1), (1 << 16, MAX - (1 << 16))] {
        let given = "a".repeat(length);
        let large = token(&given, 0).with_scope(&"a".repeat(scopes));
        store.save(&key(), &large).await.unwrap();
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some(&*given));
    }
}
