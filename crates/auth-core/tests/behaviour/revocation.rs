//! `TokenCache::revoke`: RFC 7009.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use auth_core::{
    AccessToken, ClientAuthentication, ClientCredentials, ClientSecret, Error, ErrorKind,
    HttpTransport, RefreshPolicy, TokenCache, TokenCacheBuilder, TokenRequest, TokenResponse,
    TokenSource, TransportBody, async_trait,
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use tokio::sync::Semaphore;

const REVOKE: &str = "https://as.example/revoke";

/// The response to a revocation.
#[derive(Clone)]
enum Answer {
    Status(u16, &'static str),
    RetryAfter(&'static str),
    Redirect,
    Breaks,
    Hangs,
}

const DONE: Answer = Answer::Status(200, "");

/// An authorization server that issues `token-1`, `token-2`, …
#[derive(Clone)]
struct Server(Arc<State>);

struct State {
    issued: Mutex<usize>,
    /// `Authorization` and form of each revocation.
    revocations: Mutex<Vec<(Option<String>, String)>>,
    answers: Mutex<VecDeque<Answer>>,
    /// Holds the token requests.
    gate: Semaphore,
    /// Holds the revocations.
    revoke_gate: Semaphore,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// Returns a server that gives these answers to revocations, and then 200.
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(State {
            issued: Mutex::default(),
            revocations: Mutex::default(),
            answers: Mutex::new(answers.into_iter().collect()),
            gate: Semaphore::new(1000),
            revoke_gate: Semaphore::new(1000),
        }))
    }

    fn issued(&self) -> usize {
        *self.0.issued.lock().unwrap()
    }

    fn revocations(&self) -> Vec<String> {
        let revocations = self.0.revocations.lock().unwrap();
        revocations.iter().map(|(_, form)| form.clone()).collect()
    }

    async fn issue(&self) -> (u16, String) {
        let number = {
            let mut issued = self.0.issued.lock().unwrap();
            *issued += 1;
            *issued
        };
        drop(self.0.gate.acquire().await.unwrap());
        let body = format!(
            r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":600}}"#
        );
        (200, body)
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let mut response = Response::builder();
        let (status, body) = match request.uri().path() {
            "/token" => self.issue().await,
            path => {
                assert_eq!(path, "/revoke");
                let header = request.headers().get(AUTHORIZATION);
                let header = header.map(|value| value.to_str().unwrap().to_owned());
                let form = String::from_utf8(request.body().to_vec()).unwrap();
                self.0.revocations.lock().unwrap().push((header, form));
                drop(self.0.revoke_gate.acquire().await.unwrap());
                let answer = self.0.answers.lock().unwrap().pop_front();
                match answer.unwrap_or(DONE) {
                    Answer::Status(status, body) => (status, body.to_owned()),
                    Answer::RetryAfter(wait) => {
                        response = response.header("retry-after", wait);
                        (503, String::new())
                    }
                    Answer::Redirect => {
                        response = response.header("location", "https://elsewhere.example/");
                        (307, String::new())
                    }
                    Answer::Breaks => return Err(Error::connection("connection reset")),
                    Answer::Hangs => std::future::pending().await,
                }
            }
        };
        let body = TransportBody::new(Full::new(Bytes::from(body)));
        response
            .status(status)
            .body(body)
            .map_err(Error::connection)
    }
}

fn source(server: &Server, authentication: ClientAuthentication) -> ClientCredentials {
    ClientCredentials::builder("https://as.example/token", "my-client", authentication)
        .revocation_endpoint(REVOKE)
        .build(server.clone())
        .unwrap()
}

fn builder(server: &Server) -> TokenCacheBuilder {
    let source = source(server, ClientAuthentication::client_secret_basic("s3cr3t"));
    TokenCache::builder(source).clock(TokioClock::new())
}

/// Returns a cache with `token-1`.
async fn with_token(server: &Server) -> TokenCache {
    let tokens = builder(server).build();
    assert_eq!(secret(&tokens).await, "token-1");
    tokens
}

async fn secret(tokens: &TokenCache) -> String {
    tokens.token().await.unwrap().secret().to_owned()
}

const FORM: &str = "token=token-1&token_type_hint=access_token";

#[tokio::test(start_paused = true)]
async fn rfc7009_2_1_the_client_authenticates_as_at_the_token_endpoint() {
    let assertion = auth_core::assertion_fn(|context: auth_core::AssertionContext| async move {
        assert_eq!(context.token_endpoint(), "https://as.example/token");
        auth_core::Assertion::new("e30.e30.c2ln")
    });
    for (authentication, header, rest) in [
        (
            ClientAuthentication::client_secret_basic("s3cr3t"),
            Some("Basic bXktY2xpZW50OnMzY3IzdA=="),
            "",
        ),
        (
            ClientAuthentication::client_secret_post("s3cr3t"),
            None,
            "&client_id=my-client&client_secret=s3cr3t",
        ),
        (ClientAuthentication::none(), None, "&client_id=my-client"),
        (
            ClientAuthentication::client_assertion(assertion),
            None,
            "&client_id=my-client\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=e30.e30.c2ln",
        ),
    ] {
        let server = Server::answering([]);
        let tokens = TokenCache::new(source(&server, authentication));
        tokens.token().await.unwrap();
        tokens.revoke().await.unwrap();
        let revocations = server.0.revocations.lock().unwrap().clone();
        assert_eq!(
            revocations,
            [(header.map(str::to_owned), format!("{FORM}{rest}"))]
        );
    }
}

/// RFC 7009 section 2.2: also for a token that the server does not know.
#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_handed_out_no_more() {
    for answer in [DONE, Answer::Status(200, "{}"), Answer::Status(204, "")] {
        let server = Server::answering([answer]);
        let tokens = with_token(&server).await;
        tokens.revoke().await.unwrap();
        assert!(tokens.cached().is_none() && !tokens.status().has_usable_token());
        assert_eq!(server.issued(), 1, "none is requested before it is needed");
        assert_eq!(secret(&tokens).await, "token-2");
        assert_eq!(server.revocations(), [FORM]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_without_a_token_revokes_nothing() {
    let server = Server::answering([]);
    let tokens = builder(&server).build();
    tokens.revoke().await.unwrap();
    secret(&tokens).await;
    tokens.revoke().await.unwrap();
    tokens.revoke().await.unwrap();
    assert_eq!((server.issued(), server.revocations().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn rfc7009_2_2_1_after_a_503_the_token_is_still_valid() {
    let server = Server::answering([Answer::RetryAfter("60")]);
    let tokens = with_token(&server).await;
    let error = tokens.revoke().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.server_retry_after(), Some(secs(60)));
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("revocation endpoint {REVOKE} ")),
        "{text}"
    );
    assert!(text.contains("the token is still valid"), "{text}");
    assert!(tokens.cached().is_some());
    tokens.revoke().await.unwrap();
    assert!(tokens.cached().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_repeated_when_the_server_asks_for_it_in_time() {
    let server = Server::answering(["4", "0", "5"].map(Answer::RetryAfter));
    let tokens = with_token(&server).await;
    let started = tokio::time::Instant::now();
    let error = tokens.revoke().await.unwrap_err();
    assert_eq!(
        error.server_retry_after(),
        Some(secs(5)),
        "after 4 s and 1 s"
    );
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!(server.revocations().len(), 3);
    tokens.revoke().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_tried_once_more() {
    let server = Server::answering([Answer::Breaks]);
    with_token(&server).await.revoke().await.unwrap();
    let server = Server::answering([Answer::Breaks, Answer::Breaks]);
    let tokens = with_token(&server).await;
    let error = tokens.revoke().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(
        error.to_string().starts_with("revocation endpoint"),
        "{error}"
    );
    assert_eq!(server.revocations().len(), 2);
    assert!(tokens.cached().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_denial_says_what_was_denied() {
    for (status, body, told) in [
        (
            400,
            r#"{"error":"unsupported_token_type"}"#,
            "the revocation of an access token",
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            "tokens that were issued to it",
        ),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            "denied the revocation",
        ),
        (401, r#"{"error":"invalid_client"}"#, "denied the client"),
        (401, "", "denied the client"),
        (404, "", "check the URL of the revocation endpoint"),
    ] {
        let server = Server::answering([Answer::Status(status, body)]);
        let tokens = with_token(&server).await;
        let error = tokens.revoke().await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(error.status().unwrap(), status);
        assert!(tokens.cached().is_some());
    }
    let server = Server::answering([Answer::Redirect]);
    let error = with_token(&server).await.revoke().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert!(
        error
            .to_string()
            .contains("set it as the revocation endpoint"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_second_secret_of_a_client_is_tried() {
    let denial = Answer::Status(401, r#"{"error":"invalid_client"}"#);
    let server = Server::answering([denial]);
    let secret = ClientSecret::rotating("next", "current");
    let authentication = ClientAuthentication::client_secret_post(secret);
    let tokens = TokenCache::new(source(&server, authentication));
    tokens.token().await.unwrap();
    tokens.revoke().await.unwrap();
    let revocations = server.revocations();
    assert!(revocations[0].ends_with("=next") && revocations[1].ends_with("=current"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_struck_out_where_the_server_repeats_it() {
    let body = r#"{"error":"invalid_request","error_description":"token-1-of-the-client s3cr3t"}"#;
    let server = Server::answering([Answer::Status(400, body)]);
    let endpoint = auth_core::TokenEndpoint::builder(
        "https://as.example/token",
        ClientAuthentication::client_secret_basic("s3cr3t"),
    );
    let endpoint = endpoint.client_id("my-client").revocation_endpoint(REVOKE);
    let endpoint = endpoint.build(server.clone()).unwrap();
    let error = endpoint.revoke("token-1-of-the-client").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("of-the-client") && !text.contains("s3cr3t"),
        "{text}"
    );
    assert!(text.contains("[redacted]"), "{text}");
    let error = endpoint.revoke("not a s3cr3t token").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up_after_the_attempt_timeout() {
    let server = Server::answering([Answer::Hangs]);
    let tokens = with_token(&server).await;
    let started = tokio::time::Instant::now();
    let error = tokens.revoke().await.unwrap_err();
    assert_eq!(
        (error.kind(), started.elapsed().as_secs()),
        (ErrorKind::Timeout, 10)
    );
    assert!(error.to_string().contains("may still be valid"), "{error}");
    assert!(tokens.cached().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_request_in_flight_is_revoked() {
    let server = Server::answering([]);
    server.0.gate.forget_permits(1000);
    let tokens = builder(&server).build();
    let reader = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    while server.issued() == 0 {
        tokio::task::yield_now().await;
    }
    let revoked = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.revoke().await }
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(server.revocations().is_empty());
    // a waiter that is polled after the revocation would request another one
    reader.abort();
    server.0.gate.add_permits(1000);
    revoked.await.unwrap().unwrap();
    assert_eq!(server.revocations(), [FORM]);
    assert!(tokens.cached().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_polled_after_the_revocation_gets_another_token() {
    let server = Server::answering([]);
    server.0.gate.forget_permits(1000);
    let tokens = builder(&server).build();
    let mut waiter = tokio_test::task::spawn(tokens.token());
    assert!(waiter.poll().is_pending());
    while server.issued() == 0 {
        tokio::task::yield_now().await;
    }
    server.0.gate.add_permits(1000);
    tokens.revoke().await.unwrap();
    assert_eq!(server.revocations(), [FORM]);
    assert_eq!(waiter.await.unwrap().secret(), "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_replaced_the_revoked_one_meanwhile_stays() {
    let server = Server::answering([]);
    let tokens = with_token(&server).await;
    server.0.revoke_gate.forget_permits(1000);
    let revoked = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.revoke().await }
    });
    while server.revocations().is_empty() {
        tokio::task::yield_now().await;
    }
    let token = tokens.token().await.unwrap();
    let auth_core::Replacement::Pending(next) = tokens.reject(&token) else {
        panic!("expected a replacement")
    };
    assert_eq!(next.token().await.unwrap().secret(), "token-2");
    server.0.revoke_gate.add_permits(1000);
    revoked.await.unwrap().unwrap();
    assert_eq!(secret(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_kept_warm_requests_no_token_after_a_revocation() {
    let server = Server::answering([]);
    let tokens = builder(&server).keep_warm().build();
    secret(&tokens).await;
    tokens.revoke().await.unwrap();
    tokio::time::sleep(secs(1200)).await;
    assert_eq!(server.issued(), 1);
    // and is kept warm again from the next read on
    assert_eq!(secret(&tokens).await, "token-2");
    tokio::time::sleep(secs(600)).await;
    assert_eq!(server.issued(), 3);
}

#[tokio::test(start_paused = true)]
async fn no_process_loads_a_revoked_token_from_the_shared_store() {
    let (server, store) = (Server::answering([]), MemoryStore::new());
    let process = || builder(&server).shared_store(store.clone()).build();
    let first = process();
    first.token().await.unwrap();
    assert_eq!(secret(&process()).await, "token-1", "it is shared");
    // while the server takes its time
    server.0.revoke_gate.forget_permits(1000);
    let revoked = tokio::spawn({
        let first = first.clone();
        async move { first.revoke().await }
    });
    while server.revocations().is_empty() {
        tokio::task::yield_now().await;
    }
    let other = process();
    assert_eq!(secret(&other).await, "token-2");
    other.flush().await;
    server.0.revoke_gate.add_permits(1000);
    revoked.await.unwrap().unwrap();
    assert_eq!(secret(&first).await, "token-2", "that of the other process");
    assert_eq!(first.status().shared_store_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_another_process_stays_in_the_shared_store() {
    let (server, store) = (Server::answering([]), MemoryStore::new());
    let process = || builder(&server).shared_store(store.clone()).build();
    let (first, other) = (process(), process());
    let token = first.token().await.unwrap();
    first.flush().await;
    other.token().await.unwrap();
    let auth_core::Replacement::Pending(next) = other.reject(&token) else {
        panic!("expected a replacement")
    };
    next.token().await.unwrap();
    other.flush().await;
    first.revoke().await.unwrap();
    assert_eq!(server.revocations(), [FORM]);
    assert_eq!(secret(&process()).await, "token-2");
    assert_eq!(server.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shared_store_that_fails_does_not_keep_a_token_from_its_revocation() {
    let (server, store) = (Server::answering([]), MemoryStore::new());
    let tokens = builder(&server).shared_store(store.clone()).build();
    tokens.token().await.unwrap();
    tokens.flush().await;
    store.fail();
    tokens.revoke().await.unwrap();
    assert_eq!(server.revocations(), [FORM]);
    assert_eq!(tokens.status().shared_store_failures, 1);
    // this process does not load the token that it has revoked
    store.recover();
    assert_eq!(secret(&tokens).await, "token-2");
}

/// Revokes as a test wants it to.
#[derive(Debug)]
struct Revoking(Scripted, fn() -> Result<(), Error>);

#[async_trait]
impl TokenSource for Revoking {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch(request).await
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        assert_eq!(token.secret(), "t1");
        (self.1)()
    }
}

#[tokio::test]
async fn a_source_revokes_its_tokens_in_its_own_way() {
    let panics: fn() -> Result<(), Error> = || panic!("s3cr3t");
    for (revoke, kind) in [
        ((|| Ok(())) as fn() -> _, None),
        (
            || Err(Error::new(ErrorKind::Denied, "no")),
            Some(ErrorKind::Denied),
        ),
        (panics, Some(ErrorKind::Panicked)),
    ] {
        let source: Arc<dyn TokenSource> = Arc::new(Revoking(Scripted::expires_in(600), revoke));
        let tokens = TokenCache::new(source);
        tokens.token().await.unwrap();
        let error = tokens.revoke().await.err();
        assert_eq!(error.as_ref().map(Error::kind), kind);
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(tokens.cached().is_none(), kind.is_none());
    }
}

#[tokio::test]
async fn a_source_that_cannot_revoke_says_what_to_do() {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    let server = Server::answering([]);
    let builder = ClientCredentials::builder("https://as.example/token", "id", authentication);
    let sources: [(Arc<dyn TokenSource>, _); 2] = [
        (
            Arc::new(builder.build(server).unwrap()),
            "revocation_endpoint()",
        ),
        (Arc::new(Scripted::expires_in(600)), "TokenSource::revoke"),
    ];
    for (source, told) in sources {
        let tokens = TokenCache::new(source);
        tokens.token().await.unwrap();
        let error = tokens.revoke().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(told), "{error}");
        assert!(tokens.cached().is_some());
    }
}

#[test]
fn a_revocation_endpoint_is_checked_at_construction() {
    for (url, told) in [
        ("as.example/revoke", "without a scheme"),
        ("http://as.example/revoke", "not loopback"),
        ("https://as.example/revoke#x", "fragment"),
        ("https://id:s3cr3t@as.example/revoke", "credentials"),
        ("https://as.example/revoke?token=x", "sent twice"),
        ("https://as.example/revoke?Token_Type_Hint=x", "sent twice"),
        ("https://as.example/revoke?client_id=x", "sent twice"),
    ] {
        let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
        let builder = ClientCredentials::builder("https://as.example/token", "id", authentication);
        let builder = builder.revocation_endpoint(url);
        let shown = format!("{builder:?}");
        let error = builder
            .build(Server::answering([]))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("revocation endpoint") && error.contains(told),
            "{error}"
        );
        assert!(
            !error.contains("s3cr3t") && !shown.contains("s3cr3t"),
            "{error} {shown}"
        );
    }
}

#[test]
fn outside_a_runtime_a_revocation_is_an_error() {
    let tokens = TokenCache::builder(Scripted::expires_in(600));
    let tokens = tokens.refresh_policy(RefreshPolicy::default()).build();
    let error = futures_util::FutureExt::now_or_never(tokens.revoke());
    let error = error.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
}
