//! Processes that share tokens which are bound to a key.

use std::time::Duration;

use auth_core::{
    AccessTokenType, Authorizer, ClientAuthentication, ClientCredentials, ErrorKind, TokenCache,
    TokenRequest, TokenSource,
    shared_store::{SharedToken, SharedTokenStore},
};
use auth_test_support::ReadableProver;
use auth_testing::MemoryStore;

use super::endpoint::{Answer, Endpoint, URL};

const OTHER: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

fn grant(endpoint: &Endpoint, prover: Option<ReadableProver>) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    let mut builder = ClientCredentials::builder(URL, "my-client", authentication);
    if let Some(prover) = prover {
        builder = builder.dpop(prover);
    }
    builder.build(endpoint.clone()).unwrap()
}

#[tokio::test]
async fn processes_with_one_key_share_a_token_and_its_type() {
    let store = MemoryStore::new();
    let endpoint = Endpoint::answering([Answer::token()]);
    for _ in 0..2 {
        let source = grant(&endpoint, Some(ReadableProver::local()));
        let cache = TokenCache::builder(source)
            .shared_store(store.clone())
            .build();
        let token = cache.token().await.unwrap();
        assert_eq!(token.token_type(), AccessTokenType::Dpop);
        cache.flush().await;
    }
    assert_eq!(endpoint.forms().len(), 1);
}

#[test]
fn the_key_of_a_shared_token_contains_the_thumbprint() {
    let endpoint = Endpoint::answering([Answer::token()]);
    let provers = [
        None,
        Some(ReadableProver::local()),
        Some(ReadableProver::local().with_thumbprint(OTHER)),
    ];
    let keys = provers.map(|prover| {
        let source = grant(&endpoint, prover);
        source.shared_key(&TokenRequest::default()).unwrap()
    });
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}

#[tokio::test]
async fn a_saved_token_of_another_type_is_not_used() {
    let store = MemoryStore::new();
    let endpoint = Endpoint::answering([Answer::token()]);
    let source = grant(&endpoint, Some(ReadableProver::local()));
    let key = source.shared_key(&TokenRequest::default()).unwrap();
    let bearer = SharedToken::bearer("unbound").unwrap();
    let bearer = bearer.with_lifetime(Duration::from_secs(600));
    store.save(&key, &bearer).await.unwrap();
    let cache = TokenCache::builder(source).shared_store(store).build();
    assert_eq!(cache.token().await.unwrap().secret(), "abc");
}

#[tokio::test]
async fn a_key_that_ends_with_its_process_is_an_error_beside_a_shared_store() {
    let endpoint = Endpoint::answering([Answer::token()]);
    let cache = |store: Option<MemoryStore>| {
        let source = grant(&endpoint, Some(ReadableProver::generated()));
        let builder = TokenCache::builder(source);
        match store {
            Some(store) => builder.shared_store(store).build(),
            None => builder.build(),
        }
    };
    let build = |cache| {
        Authorizer::builder(cache)
            .origin("https://api.example")
            .build()
    };
    let error = build(cache(Some(MemoryStore::new()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.to_string().contains("read the key from a file"),
        "{error}"
    );
    let error = cache(Some(MemoryStore::new())).token().await.unwrap_err();
    assert!(
        error.to_string().contains("read the key from a file"),
        "{error}"
    );
    assert!(endpoint.forms().is_empty());

    build(cache(None)).unwrap();
    cache(None).token().await.unwrap();
}
