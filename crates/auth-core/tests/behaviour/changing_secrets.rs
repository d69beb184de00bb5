//! Secrets of a function, and clients with two secrets.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientSecret, Error, ErrorKind, TokenCache,
    TokenRequest, TokenSource,
};

use crate::recording_transport::Recording;

fn grant(secret: ClientSecret, transport: &Recording) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_post(secret);
    ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(transport.clone())
        .unwrap()
}

/// The secrets that were sent, in turn.
fn sent(transport: &Recording) -> Vec<String> {
    let secret = |form: String| form.rsplit_once("client_secret=").unwrap().1.to_owned();
    transport.forms().into_iter().map(secret).collect()
}

const DENIED: &str = r#"{"error":"invalid_client"}"#;
const SCOPE_DENIED: &str = r#"{"error":"invalid_scope"}"#;

#[tokio::test]
async fn a_function_is_called_at_each_attempt() {
    let count = AtomicUsize::new(0);
    let secret = ClientSecret::from_fn(move || {
        let number = count.fetch_add(1, SeqCst) + 1;
        async move { Ok(format!("s{number}").into()) }
    });
    let transport = Recording::failing(|| "connection reset");
    let tokens = TokenCache::new(grant(secret, &transport));
    tokens.token().await.unwrap_err();
    assert_eq!(sent(&transport), ["s1", "s2"]);
}

#[tokio::test]
async fn the_error_of_a_function_is_returned_with_its_kind() {
    let unavailable = || Error::new(ErrorKind::Unavailable, "the vault is sealed");
    let secret = ClientSecret::from_fn(move || async move { Err(unavailable()) });
    let transport = Recording::issuing();
    let source = grant(secret, &transport);
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "client secret: the vault is sealed");
    assert_eq!(
        (error.kind(), transport.requests()),
        (ErrorKind::Unavailable, 0)
    );
}

#[tokio::test]
async fn a_changed_secret_of_a_function_ends_the_backoff() {
    let vault = Arc::new(Mutex::new("old"));
    let read = Arc::clone(&vault);
    let secret = ClientSecret::from_fn(move || {
        let secret = *read.lock().unwrap();
        async move { Ok(secret.into()) }
    });
    let source = grant(secret, &Recording::answering(401, DENIED));
    source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(!source.credentials_changed().await);
    *vault.lock().unwrap() = "new";
    assert!(source.credentials_changed().await);
}

#[tokio::test]
async fn a_client_with_two_secrets_falls_back_once_and_remembers_which_one_works() {
    let transport = Recording::accepting("client_secret=current", DENIED);
    let source = grant(ClientSecret::rotating("next", "current"), &transport);
    let request = TokenRequest::default();
    source.fetch(&request).await.unwrap();
    source.fetch(&request).await.unwrap();
    assert_eq!(sent(&transport), ["next", "current", "current"]);
    // the server has switched
    transport.accept("client_secret=next");
    source.fetch(&request).await.unwrap();
    source.fetch(&request).await.unwrap();
    assert_eq!(sent(&transport)[3..], ["current", "next", "next"]);
    transport.accept("client_secret=third");
    let error = source.fetch(&request).await.unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_client"));
    assert_eq!(
        sent(&transport)[6..],
        ["next", "current"],
        "each secret once"
    );
}

/// Keycloak answers a wrong secret with `unauthorized_client`, Auth0 with `access_denied`, others without a code.
#[tokio::test]
async fn each_denial_of_the_client_leads_to_the_other_secret() {
    for denial in [
        r#"{"error":"unauthorized_client","error_description":"Invalid client credentials"}"#,
        r#"{"error":"access_denied","error_description":"Unauthorized"}"#,
        "",
    ] {
        let transport = Recording::accepting("client_secret=current", denial);
        let source = grant(ClientSecret::rotating("next", "current"), &transport);
        let fetched = source.fetch(&TokenRequest::default()).await;
        assert!(fetched.is_ok(), "{denial}: {fetched:?}");
        assert_eq!(sent(&transport), ["next", "current"]);
    }
}

#[tokio::test]
async fn only_a_denial_of_the_client_leads_to_the_other_secret() {
    let transport = Recording::answering(400, SCOPE_DENIED);
    let source = grant(ClientSecret::rotating("next", "current"), &transport);
    source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(sent(&transport), ["next"]);
}

#[test]
fn each_of_two_secrets_is_checked_at_construction() {
    for (next, current, told) in [
        ("a\n", "b", "the next one"),
        ("a", "b\n", "the current one"),
    ] {
        let secret = ClientSecret::rotating(next, current);
        let authentication = ClientAuthentication::client_secret_post(secret);
        let builder = ClientCredentials::builder("https://as.example/token", "id", authentication);
        let error = builder.build(Recording::issuing()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
