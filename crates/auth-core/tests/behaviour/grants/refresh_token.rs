//! The refresh token grant: nothing is lost, and no old token is presented.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, HttpTransport, RefreshToken, RefreshTokenStore, SecretString, TokenCache,
    TokenCaches, TokenRequest, TokenSource, TransportBody, async_trait,
};
use auth_test_support::with_timeout;
use auth_testing::{MemoryStore, TokioClock};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::{Notify, Semaphore};

use super::scope;
use crate::recording_transport::Recording;

const URL: &str = "https://as.example/token";

/// A store in memory, which a test lets fail or wait.
#[derive(Clone, Debug)]
struct Memory(Arc<MemoryState>);

#[derive(Debug)]
struct MemoryState {
    token: Mutex<String>,
    saved: Mutex<Vec<String>>,
    fails: Mutex<bool>,
    gate: Semaphore,
    changed: Notify,
}

impl Memory {
    fn with(token: &str) -> Self {
        Self(Arc::new(MemoryState {
            token: Mutex::new(token.to_owned()),
            saved: Mutex::default(),
            fails: Mutex::default(),
            gate: Semaphore::new(1000),
            changed: Notify::new(),
        }))
    }

    fn set(&self, token: &str) {
        *self.0.token.lock().unwrap() = token.to_owned();
    }

    fn fail(&self, fails: bool) {
        *self.0.fails.lock().unwrap() = fails;
    }

    fn saved(&self) -> Vec<String> {
        self.0.saved.lock().unwrap().clone()
    }
}

#[async_trait]
impl RefreshTokenStore for Memory {
    async fn load(&self) -> Result<SecretString, Error> {
        Ok(self.0.token.lock().unwrap().as_str().into())
    }

    async fn save(&self, token: &SecretString) -> Result<(), Error> {
        self.0.changed.notify_one();
        drop(self.0.gate.acquire().await.unwrap());
        if *self.0.fails.lock().unwrap() {
            return Err(Error::configuration("the disk is full"));
        }
        self.set(token.expose());
        self.0.saved.lock().unwrap().push(token.expose().to_owned());
        self.0.changed.notify_one();
        Ok(())
    }
}

/// An authorization server that rotates: it accepts `r1`, then `r2`, …, and after an old one nothing.
#[derive(Clone)]
struct Rotating(Arc<RotatingState>);

struct RotatingState {
    /// The number of the current refresh token. Zero: the user's tokens were revoked.
    current: AtomicUsize,
    forms: Mutex<Vec<String>>,
    gate: Semaphore,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

impl std::fmt::Debug for Rotating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rotating")
    }
}

impl Rotating {
    fn new() -> Self {
        Self(Arc::new(RotatingState {
            current: AtomicUsize::new(1),
            forms: Mutex::default(),
            gate: Semaphore::new(1000),
            in_flight: AtomicUsize::default(),
            max_in_flight: AtomicUsize::default(),
        }))
    }

    /// Holds the answers until `release`. The server has exchanged the tokens before.
    fn hold(&self) {
        self.0.gate.forget_permits(1000);
    }

    fn release(&self) {
        self.0.gate.add_permits(1000);
    }

    fn forms(&self) -> Vec<String> {
        self.0.forms.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpTransport for Rotating {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let state = &*self.0;
        let form = String::from_utf8(request.body().to_vec()).unwrap();
        state.forms.lock().unwrap().push(form.clone());
        let current = state.current.load(SeqCst);
        let is_current = form.contains(&format!("refresh_token=r{current}&"));
        state
            .current
            .store(if is_current { current + 1 } else { 0 }, SeqCst);
        let now = state.in_flight.fetch_add(1, SeqCst) + 1;
        state.max_in_flight.fetch_max(now, SeqCst);
        drop(state.gate.acquire().await.unwrap());
        tokio::task::yield_now().await;
        state.in_flight.fetch_sub(1, SeqCst);
        let (status, body) = match is_current {
            true => {
                let next = current + 1;
                let body = format!(
                    r#"{{"access_token":"a{next}","refresh_token":"r{next}","token_type":"Bearer","expires_in":600}}"#
                );
                (200, body)
            }
            false => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
        };
        let body = TransportBody::new(Full::new(Bytes::from(body)));
        let response = Response::builder().status(status).body(body);
        response.map_err(Error::connection)
    }
}

fn grant(transport: impl HttpTransport, store: &Memory) -> RefreshToken {
    let authentication = auth_core::ClientAuthentication::none();
    let endpoint = auth_core::TokenEndpoint::builder(URL, authentication).client_id("app");
    RefreshToken::new(endpoint.build(transport).unwrap(), store.clone()).unwrap()
}

async fn fetch(grant: &RefreshToken) -> Result<String, Error> {
    let response = grant.fetch(&TokenRequest::default()).await?;
    assert!(response.refresh_token().is_none(), "it stays in the store");
    Ok(response.access_token().to_owned())
}

#[tokio::test]
async fn rfc6749_6_the_form_and_the_new_refresh_token() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    let grant = grant(server.clone(), &store);
    assert_eq!(fetch(&grant).await.unwrap(), "a2");
    let request = TokenRequest::builder().scope("read").build().unwrap();
    grant.fetch(&request).await.unwrap();
    assert_eq!(
        server.forms(),
        [
            "grant_type=refresh_token&refresh_token=r1&client_id=app",
            "grant_type=refresh_token&refresh_token=r2&scope=read&client_id=app",
        ]
    );
    assert_eq!(store.saved(), ["r2", "r3"]);
}

#[tokio::test]
async fn a_response_without_a_new_refresh_token_saves_nothing() {
    for member in [
        "",
        r#""refresh_token":null,"#,
        r#""refresh_token":"","#,
        r#""refresh_token":"r1","#,
    ] {
        let body = format!(r#"{{{member}"access_token":"abc","token_type":"Bearer"}}"#);
        let store = Memory::with("r1");
        let grant = grant(Recording::answering(200, body), &store);
        assert_eq!(fetch(&grant).await.unwrap(), "abc");
        assert_eq!(store.saved(), [""; 0]);
    }
}

#[tokio::test]
async fn the_new_refresh_token_is_saved_before_the_access_token_is_handed_out() {
    let store = Memory::with("r1");
    store.0.gate.forget_permits(1000);
    let tokens = TokenCache::new(grant(Rotating::new(), &store));
    let waiter = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    with_timeout(store.0.changed.notified()).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!waiter.is_finished() && tokens.cached().is_none());
    store.0.gate.add_permits(1000);
    assert_eq!(waiter.await.unwrap().unwrap().secret(), "a2");
    assert_eq!(store.saved(), ["r2"]);
}

#[tokio::test]
async fn after_a_failed_save_the_next_attempt_saves_without_a_token_request() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    let grant = grant(server.clone(), &store);
    store.fail(true);
    for _ in 0..3 {
        let error = fetch(&grant).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("was not saved") && text.contains("the disk is full"),
            "{text}"
        );
        assert!(error.is_transient(), "each attempt may save it: {error:?}");
    }
    store.fail(false);
    assert_eq!(fetch(&grant).await.unwrap(), "a2");
    assert_eq!(
        (server.forms().len(), store.saved()),
        (1, vec!["r2".to_owned()])
    );
    assert_eq!(fetch(&grant).await.unwrap(), "a3");
}

#[tokio::test]
async fn a_refresh_token_that_was_not_saved_does_not_replace_a_newer_one() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    let grant = grant(server.clone(), &store);
    store.fail(true);
    fetch(&grant).await.unwrap_err();
    store.fail(false);
    // the user has authorized the client again
    server.0.current.store(7, SeqCst);
    store.set("r7");
    assert_eq!(fetch(&grant).await.unwrap(), "a8");
    assert_eq!(store.saved(), ["r8"]);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_later_than_the_attempt_timeout_is_not_lost() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    server.hold();
    let builder = TokenCache::builder(grant(server.clone(), &store));
    let tokens = builder.clock(TokioClock::new()).build();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.release();
    with_timeout(store.0.changed.notified()).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    let token = tokens.token().await.unwrap();
    assert_eq!((token.secret(), server.forms().len()), ("a2", 1));
    assert_eq!(store.saved(), ["r2"]);
    // 600 s are counted from before the only token request, not from the second attempt
    let usable = tokens.status().usable_for.unwrap();
    assert!(usable < Duration::from_secs(600 - 30 - 12), "{usable:?}");
}

#[tokio::test(start_paused = true)]
async fn a_late_token_is_shared_with_its_age_and_without_its_refresh_token() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    server.hold();
    let (clock, shared) = (TokioClock::new(), MemoryStore::new());
    let source = grant(server.clone(), &store).with_subject("alice").unwrap();
    let process = || {
        let tokens = TokenCache::builder(source.clone()).clock(clock);
        tokens.shared_store(shared.clone()).build()
    };
    let first = process();
    first.token().await.unwrap_err();
    server.release();
    with_timeout(store.0.changed.notified()).await;
    // the failed process holds the lease until its next attempt
    tokio::time::advance(Duration::from_secs(15)).await;
    first.token().await.unwrap();
    first.flush().await;
    let other = process();
    assert_eq!(other.token().await.unwrap().secret(), "a2");
    assert_eq!(server.forms().len(), 1);
    for tokens in [first, other] {
        let usable = tokens.status().usable_for.unwrap();
        assert!(usable < Duration::from_secs(600 - 30 - 24), "{usable:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_waits_for_the_exchange_in_flight() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    server.hold();
    let builder = TokenCache::builder(grant(server.clone(), &store));
    let tokens = builder.clock(TokioClock::new()).build();
    tokens.token().await.unwrap_err();
    tokio::time::advance(Duration::from_secs(3)).await;
    let waiter = tokio::spawn(async move { tokens.token().await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.forms().len(), 1);
    server.release();
    assert_eq!(waiter.await.unwrap().unwrap().secret(), "a2");
    assert_eq!(server.forms().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_never_ends_is_given_up() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    server.hold();
    let grant = grant(server.clone(), &store);
    let error = fetch(&grant).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.release();
    // the old token: the server has revoked the user's tokens, as documented
    let error = fetch(&grant).await.unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_grant"));
}

#[tokio::test]
async fn a_dropped_cache_does_not_lose_the_new_refresh_token() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    server.hold();
    let tokens = TokenCache::new(grant(server.clone(), &store));
    let waiter = tokio::spawn(async move { tokens.token().await });
    while server.forms().is_empty() {
        tokio::task::yield_now().await;
    }
    waiter.abort();
    let _ = waiter.await;
    server.release();
    while store.saved().is_empty() {
        with_timeout(store.0.changed.notified()).await;
    }
    assert_eq!(store.saved(), ["r2"]);
}

#[tokio::test]
async fn keys_of_one_source_do_not_present_the_same_refresh_token() {
    let (server, store) = (Rotating::new(), Memory::with("r1"));
    let tokens = TokenCaches::builder(TokenCache::new(grant(server.clone(), &store)));
    let tokens = tokens.build().unwrap();
    let caches = (0..5).map(|key| tokens.cache(&scope(&format!("s{key}"))));
    let caches: Vec<_> = caches.collect();
    for token in join_all(caches.iter().map(TokenCache::token)).await {
        token.unwrap();
    }
    assert_eq!(server.0.max_in_flight.load(SeqCst), 1);
    assert_eq!((server.forms().len(), store.saved().len()), (5, 5));
}

#[tokio::test]
async fn a_denied_refresh_token_says_that_the_user_has_to_authorize_again() {
    let (server, store) = (Rotating::new(), Memory::with("old"));
    let grant = grant(server.clone(), &store);
    assert!(!grant.credentials_changed().await, "none was denied");
    let error = fetch(&grant).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(
        error.to_string().contains("authorize the client again"),
        "{error}"
    );
    assert!(!grant.credentials_changed().await);
    store.set("r1");
    assert!(grant.credentials_changed().await);
}

#[tokio::test]
async fn a_text_that_is_no_refresh_token_is_an_error_that_does_not_show_it() {
    for text in ["", "s3cr3t\n", "s3cr3té"] {
        let store = Memory::with(text);
        let transport = Recording::issuing();
        let grant = grant(transport.clone(), &store);
        let error = fetch(&grant).await.unwrap_err();
        assert!(error.to_string().contains("load()"), "{error}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(transport.requests(), 0);
        assert!(!grant.credentials_changed().await);
        store.set("r1");
        assert!(grant.credentials_changed().await);
    }
    // the old one would be presented next, and all tokens of the user revoked
    for member in ["7", r#""r\u00e9""#, r#"["r2"]"#] {
        let body = format!(r#"{{"access_token":"t0k3n","refresh_token":{member}}}"#);
        let grant = grant(Recording::answering(200, body), &Memory::with("r1"));
        let error = fetch(&grant).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.to_string().contains("refresh_token"), "{error}");
    }
}

#[derive(Debug)]
struct Panics;

#[async_trait]
impl RefreshTokenStore for Panics {
    async fn load(&self) -> Result<SecretString, Error> {
        panic!("s3cr3t of the store")
    }

    async fn save(&self, _: &SecretString) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_store_that_panics_is_an_error() {
    let endpoint = super::endpoint(URL, &Recording::issuing());
    let grant = RefreshToken::new(endpoint, Panics).unwrap();
    let error = fetch(&grant).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
}

#[test]
fn only_a_grant_that_names_its_user_shares_its_token() {
    let of = |subject: &str| {
        let grant = grant(Recording::issuing(), &Memory::with("r1")).with_subject(subject);
        grant.unwrap().shared_key(&scope("read"))
    };
    assert!(of("alice").is_some() && of("alice") == of("alice") && of("alice") != of("bob"));
    let grant = grant(Recording::issuing(), &Memory::with("r1"));
    assert!(grant.shared_key(&scope("read")).is_none());
}

#[tokio::test]
async fn rfc6749_4_4_3_client_credentials_ignore_a_refresh_token() {
    let body = r#"{"access_token":"abc","refresh_token":"r1","token_type":"Bearer"}"#;
    let endpoint = super::endpoint(URL, &Recording::answering(200, body));
    let form = auth_core::Form::new("authorization_code").field("code", "c0de");
    let response = endpoint
        .request(&form, &TokenRequest::default())
        .await
        .unwrap();
    assert_eq!(response.refresh_token().unwrap().expose(), "r1");
    let source = auth_core::ClientCredentials::new(endpoint, TokenRequest::default()).unwrap();
    let response = source.fetch(&TokenRequest::default()).await.unwrap();
    assert!(response.refresh_token().is_none());
}
