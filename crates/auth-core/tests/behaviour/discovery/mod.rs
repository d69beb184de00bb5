//! A token endpoint that the metadata of the authorization server tells.

use std::{
    collections::HashMap,
    future,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    AssertionContext, BoxError, ClientAuthentication, ClientCredentials, Error, ErrorKind,
    HttpTransport, Metadata, TokenCache, TokenEndpoint, TokenEndpointBuilder, TokenRequest,
    TokenSource, TransportBody, assertion_fn, async_trait,
};
use auth_test_support::settle;
use auth_testing::{ManualClock, TokioClock};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::{
    runtime::{self, Runtime},
    sync::Semaphore,
};
use tracing::Level;

use crate::{captured_log::CapturedLog, recording_transport::TOKEN};

mod requested_again;

const ISSUER: &str = "https://as.example/realm";
const OAUTH: &str = "https://as.example/.well-known/oauth-authorization-server/realm";
const OIDC: &str = "https://as.example/realm/.well-known/openid-configuration";

/// The status of an address that drops packets.
const HANGS: u16 = 1;

/// A server whose documents and endpoints a test sets. Everything else is a 404.
#[derive(Clone, Debug, Default)]
struct Server {
    answers: Arc<Mutex<HashMap<String, (u16, Bytes)>>>,
    requests: Arc<Mutex<Vec<String>>>,
    user_agents: Arc<Mutex<Vec<String>>>,
    /// Documents wait for a permit, if there is one.
    gate: Option<Arc<Semaphore>>,
}

impl Server {
    fn set(&self, url: &str, status: u16, body: impl Into<Bytes>) {
        let answer = (status, body.into());
        self.answers.lock().unwrap().insert(url.into(), answer);
    }

    /// Serves a document that names this token endpoint, which issues tokens.
    fn naming(&self, document: &str, token_endpoint: &str) {
        self.set(document, 200, metadata(token_endpoint));
        self.set(token_endpoint, 200, TOKEN);
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).collect()
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let url = request.uri().to_string();
        let shown = format!("{} {url}", request.method());
        self.requests.lock().unwrap().push(shown);
        let user_agent = request.headers().get("user-agent");
        let user_agent = user_agent.map_or("none", |value| value.to_str().unwrap());
        self.user_agents.lock().unwrap().push(user_agent.to_owned());
        if let (Some(gate), &Method::GET) = (&self.gate, request.method()) {
            gate.acquire().await.unwrap().forget();
        }
        let answer = self.answers.lock().unwrap().get(&url).cloned();
        let (status, body) = answer.unwrap_or((404, Bytes::from_static(b"<html>")));
        if status == 0 {
            return Err(Error::connection(BoxError::from("connection refused")));
        }
        if status == HANGS {
            future::pending::<()>().await;
        }
        let mut response = Response::builder().status(status);
        if status == 429 {
            response = response.header("retry-after", "120");
        }
        let body = TransportBody::new(Full::new(body));
        response.body(body).map_err(Error::connection)
    }
}

fn metadata(token_endpoint: &str) -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","token_endpoint":"{token_endpoint}",
            "token_endpoint_auth_methods_supported":["client_secret_basic","tls_client_auth"],
            "mtls_endpoint_aliases":{{"token_endpoint":"https://mtls.as.example/token"}}}}"#
    )
}

fn builder() -> TokenEndpointBuilder {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    TokenEndpoint::discover(ISSUER, authentication).client_id("my-client")
}

fn source(builder: TokenEndpointBuilder, server: &Server) -> ClientCredentials {
    let endpoint = builder.build(server.clone()).unwrap();
    ClientCredentials::new(endpoint, TokenRequest::default()).unwrap()
}

async fn fetch(source: &ClientCredentials) -> Result<(), Error> {
    let fetched = source.fetch(&TokenRequest::default()).await;
    fetched.map(|_| ())
}

#[tokio::test]
async fn the_document_is_requested_once_and_tells_the_token_endpoint() {
    let server = Server::default();
    server.naming(OAUTH, "https://tokens.example/t?tenant=1");
    let source = source(builder(), &server);
    assert!(
        server.requests().is_empty(),
        "nothing before the first token"
    );
    fetch(&source).await.unwrap();
    fetch(&source).await.unwrap();
    let post = "POST https://tokens.example/t?tenant=1".to_owned();
    let get = format!("GET {OAUTH}");
    assert_eq!(server.requests(), [get, post.clone(), post]);
}

#[tokio::test]
async fn the_document_of_openid_connect_takes_the_place_of_one_that_is_missing() {
    let server = Server::default();
    server.naming(OIDC, "https://as.example/t");
    fetch(&source(builder(), &server)).await.unwrap();
    let expected = [
        format!("GET {OAUTH}"),
        format!("GET {OIDC}"),
        "POST https://as.example/t".to_owned(),
    ];
    assert_eq!(server.requests(), expected);
}

#[tokio::test]
async fn a_document_that_cannot_be_used_is_an_error_that_says_why() {
    for (status, body, kind, told) in [
        (
            200,
            metadata("https://as.example/t").replace("/realm", "/other"),
            ErrorKind::InvalidResponse,
            "expected the issuer",
        ),
        (
            200,
            "<html>".to_owned(),
            ErrorKind::InvalidResponse,
            "a JSON object",
        ),
        (
            200,
            "x".repeat(1 << 21),
            ErrorKind::InvalidResponse,
            "at most 1 MiB",
        ),
        (302, String::new(), ErrorKind::Redirected, "a redirect"),
        (503, String::new(), ErrorKind::Unavailable, "status 503"),
        (
            404,
            String::new(),
            ErrorKind::Unavailable,
            "openid-configuration",
        ),
        (0, String::new(), ErrorKind::Connection, "no response"),
    ] {
        let server = Server::default();
        server.set(OAUTH, status, body);
        let error = fetch(&source(builder(), &server)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(
            text.contains(told) && text.contains("metadata document"),
            "{text}"
        );
        let posts = server.requests();
        assert!(!posts.iter().any(|r| r.starts_with("POST")), "{posts:?}");
    }
}

#[tokio::test]
async fn the_request_for_the_document_has_the_user_agent_of_the_token_request() {
    for (builder, expected) in [
        (builder().user_agent("my-program/1"), "my-program/1"),
        (builder().no_user_agent(), "none"),
    ] {
        let server = Server::default();
        server.naming(OAUTH, "https://as.example/t");
        fetch(&source(builder, &server)).await.unwrap();
        assert_eq!(*server.user_agents.lock().unwrap(), [expected; 2]);
    }
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    Metadata::discover(ISSUER, &server).await.unwrap();
    let seen = server.user_agents.lock().unwrap().pop().unwrap();
    assert!(seen.starts_with("auth-core/"), "{seen}");
}

#[tokio::test]
async fn the_document_of_an_https_issuer_names_no_http_endpoint_unless_it_is_permitted() {
    let endpoint = "http://127.0.0.1:4000/t";
    let server = Server::default();
    server.naming(OAUTH, endpoint);
    let error = fetch(&source(builder(), &server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("https"), "{error}");
    let permitted = builder().danger_allow_http(true);
    fetch(&source(permitted, &server)).await.unwrap();
}

#[tokio::test]
async fn a_long_list_of_methods_is_cut_in_the_log() {
    let (log, _guard) = CapturedLog::start();
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    let long = format!("a\\nb\",\"{}", "x".repeat(900_000));
    let document = metadata("https://as.example/t").replace("client_secret_basic", &long);
    server.set(OAUTH, 200, document);
    fetch(&source(builder(), &server)).await.unwrap();
    let text = log.text();
    assert!(text.contains("client_secret_basic"), "{text}");
    assert!(text.len() < 2000, "{} characters", text.len());
}

#[tokio::test]
async fn no_debug_text_shows_the_query_of_an_endpoint() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t?key=s3cr3t");
    let metadata = Metadata::discover(ISSUER, &server).await.unwrap();
    let context = AssertionContext::new("https://as.example/t?key=s3cr3t");
    for text in [format!("{metadata:?}"), format!("{context:?}")] {
        assert!(text.contains("https://as.example/t"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    assert_eq!(context.token_endpoint(), "https://as.example/t?key=s3cr3t");
}

#[tokio::test]
async fn callers_at_once_cause_one_request_for_the_document() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server {
        gate: Some(Arc::clone(&gate)),
        ..Server::default()
    };
    server.naming(OAUTH, "https://as.example/t");
    let source = source(builder(), &server);
    let mut first = tokio_test::task::spawn(fetch(&source));
    tokio_test::assert_pending!(first.poll());
    let mut others: Vec<_> = (0..9)
        .map(|_| tokio_test::task::spawn(fetch(&source)))
        .collect();
    for other in &mut others {
        tokio_test::assert_pending!(other.poll());
    }
    // the caller that requests it leaves, and another one takes its place
    drop(first);
    gate.add_permits(2);
    for other in others {
        other.await.unwrap();
    }
    let requests = server.requests();
    let documents = requests.iter().filter(|request| request.starts_with("GET"));
    assert_eq!(documents.count(), 2, "{requests:?}");
}

/// The tasks of a request run in the runtime of the caller that sends it.
#[test]
fn a_request_in_a_runtime_that_is_no_longer_driven_delays_other_token_requests_and_fails_none() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server {
        gate: Some(Arc::clone(&gate)),
        ..Server::default()
    };
    server.naming(OAUTH, "https://as.example/t");
    let (source, clock) = (source(builder(), &server), ManualClock::new());
    let cache = || TokenCache::builder(source.clone()).clock(clock.clone());
    let (first, second) = (cache().build(), cache().build());
    let (kept, driven) = (current_thread(), current_thread());
    let mut lost = tokio_test::task::spawn(first.token());
    kept.block_on(async {
        tokio_test::assert_pending!(lost.poll());
        settle().await;
    });
    assert_eq!(server.requests(), [format!("GET {OAUTH}")]);
    driven.block_on(async {
        let mut waiting = tokio_test::task::spawn(second.token());
        tokio_test::assert_pending!(waiting.poll());
        gate.add_permits(2);
        // an attempt has 10 s
        for _ in 0..18 {
            settle().await;
            clock.advance(Duration::from_millis(500));
        }
        settle().await;
        let std::task::Poll::Ready(outcome) = waiting.poll() else {
            panic!("expected a token within the attempt");
        };
        outcome.unwrap();
    });
}

fn current_thread() -> Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[tokio::test]
async fn rfc8705_5_a_client_with_a_certificate_uses_the_alias() {
    let server = Server::default();
    server.set(OAUTH, 200, metadata("https://as.example/t"));
    server.set("https://mtls.as.example/token", 200, TOKEN);
    let by_certificate = builder().authentication(ClientAuthentication::tls_client_auth());
    let bound = builder().certificate_thumbprint(|| "x".to_owned());
    for builder in [by_certificate, bound] {
        fetch(&source(builder, &server)).await.unwrap();
        let last = server.requests().pop();
        assert_eq!(last.as_deref(), Some("POST https://mtls.as.example/token"));
    }
}

#[tokio::test]
async fn rfc8705_5_a_client_with_a_certificate_revokes_at_the_alias() {
    let server = Server::default();
    let named = metadata("https://as.example/t").replacen(
        '{',
        r#"{"revocation_endpoint":"https://as.example/revoke","#,
        1,
    );
    let alias =
        r#""mtls_endpoint_aliases":{"revocation_endpoint":"https://mtls.as.example/revoke","#;
    server.set(
        OAUTH,
        200,
        named.replace(r#""mtls_endpoint_aliases":{"#, alias),
    );
    for url in [
        "https://as.example/revoke",
        "https://mtls.as.example/revoke",
    ] {
        server.set(url, 200, "");
    }
    for (authentication, expected) in [
        (
            ClientAuthentication::tls_client_auth(),
            "POST https://mtls.as.example/revoke",
        ),
        (
            ClientAuthentication::client_secret_basic("s3cr3t"),
            "POST https://as.example/revoke",
        ),
    ] {
        let endpoint = builder().authentication(authentication);
        let endpoint = endpoint.build(server.clone()).unwrap();
        endpoint.revoke("token").await.unwrap();
        assert_eq!(server.requests().pop().as_deref(), Some(expected));
    }
    // a server with no alias for it has one endpoint for all clients
    server.set(OAUTH, 200, named);
    let endpoint = builder().authentication(ClientAuthentication::tls_client_auth());
    let endpoint = endpoint.build(server.clone()).unwrap();
    endpoint.revoke("token").await.unwrap();
    let last = server.requests().pop();
    assert_eq!(last.as_deref(), Some("POST https://as.example/revoke"));
}

#[tokio::test]
async fn a_method_that_the_document_does_not_name_is_logged_once() {
    let (log, _guard) = CapturedLog::start();
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    let builder = builder().authentication(ClientAuthentication::client_secret_post("s3cr3t"));
    let source = source(builder, &server);
    for _ in 0..3 {
        fetch(&source).await.unwrap();
    }
    let text = log.text();
    assert_eq!(text.matches("client_secret_post").count(), 1, "{text}");
}

#[tokio::test]
async fn an_assertion_knows_the_issuer() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let assertion = assertion_fn(move |context: AssertionContext| {
        let of = |text: Option<&str>| text.unwrap_or("none").to_owned();
        sink.lock()
            .unwrap()
            .push((of(context.issuer()), of(Some(context.token_endpoint()))));
        async { auth_core::Assertion::new("a.b.c") }
    });
    let authentication = ClientAuthentication::client_assertion(assertion);
    fetch(&source(builder().authentication(authentication), &server))
        .await
        .unwrap();
    let expected = (ISSUER.to_owned(), "https://as.example/t".to_owned());
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn rfc8414_2_the_document_tells_the_revocation_endpoint() {
    let server = Server::default();
    let document = metadata("https://as.example/t").replacen(
        '{',
        r#"{"revocation_endpoint":"https://as.example/revoke","#,
        1,
    );
    server.set(OAUTH, 200, document);
    server.set("https://as.example/t", 200, TOKEN);
    server.set("https://as.example/revoke", 200, "");
    let tokens = TokenCache::new(source(builder(), &server));
    tokens.token().await.unwrap();
    tokens.revoke().await.unwrap();
    let last = server.requests().pop();
    assert_eq!(last.as_deref(), Some("POST https://as.example/revoke"));
}

#[tokio::test]
async fn the_builder_of_the_grant_discovers_as_well() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    let source = ClientCredentials::discover(ISSUER, "my-client", authentication);
    fetch(&source.build(server.clone()).unwrap()).await.unwrap();
    let last = server.requests().pop();
    assert_eq!(last.as_deref(), Some("POST https://as.example/t"));
}

#[tokio::test]
async fn the_document_can_be_read_without_a_client() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/t");
    let metadata = Metadata::discover(ISSUER, &server).await.unwrap();
    assert_eq!(metadata.token_endpoint(), "https://as.example/t");
    let methods: Vec<_> = metadata.authentication_methods().collect();
    assert_eq!(methods, ["client_secret_basic", "tls_client_auth"]);
    let error = Metadata::discover("as.example", &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[test]
fn a_discovered_endpoint_has_a_shared_key_of_its_own() {
    let key = |builder: TokenEndpointBuilder| {
        let source = source(builder, &Server::default());
        source.shared_key(&TokenRequest::default()).unwrap()
    };
    let other = || builder().issuer("https://as.example/other");
    assert_ne!(key(builder()), key(other()));
    assert_eq!(key(builder()), key(builder()));
    let error = builder().issuer("").build(Server::default()).unwrap_err();
    assert!(error.to_string().contains("issuer"), "{error}");
    let query = builder().issuer("https://as.example?a=b");
    let error = query.build(Server::default()).unwrap_err().to_string();
    assert!(error.contains("with a query"), "{error}");
}
