//! The client credentials grant against an authorization server, and its invalid settings.

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientSecret, ErrorKind, TokenCache, TokenRequest,
    TokenSource,
};
use auth_test_support::with_timeout;
use auth_testing::{Answer, AuthorizationServer};
use auth_tower::TowerTransport;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

type Transport = TowerTransport<Client<HttpConnector, Full<Bytes>>>;

fn transport() -> Transport {
    TowerTransport::new(Client::builder(TokioExecutor::new()).build_http())
}

async fn server() -> AuthorizationServer {
    let server = AuthorizationServer::builder().client("we:ird id", "p@ss:w%rd+/= &?#~\"\\é");
    server.start().await.unwrap()
}

fn configuration_error(url: &str, id: &str, authentication: ClientAuthentication) -> String {
    let builder = ClientCredentials::builder(url, id, authentication);
    let error = builder.build(transport()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.is_transient());
    error.to_string()
}

#[test]
fn invalid_settings_are_errors_at_construction() {
    let basic = || ClientAuthentication::client_secret_basic("s3cr3t");
    let good = "https://as.example/token";
    assert!(configuration_error("as.example/token", "id", basic()).contains("without a scheme"));
    assert!(configuration_error("http://as.example/token", "id", basic()).contains("loopback"));
    assert!(configuration_error(good, "", basic()).contains("client id: expected an id"));
    let raw = ClientAuthentication::client_secret_basic_raw("s3cr3t");
    assert!(configuration_error(good, "we:ird", raw).contains("without ':'"));
    let empty = ClientAuthentication::client_secret_post("");
    assert!(configuration_error(good, "id", empty).contains("client secret: expected a secret"));
    let quoted = ClientCredentials::builder(good, "id", basic()).scope("a\"b");
    assert!(
        quoted
            .build(transport())
            .unwrap_err()
            .to_string()
            .contains("scope")
    );
    let twice = ClientCredentials::builder("https://as.example/?tenant=1", "id", basic());
    let error = twice
        .parameter("tenant", "2")
        .build(transport())
        .unwrap_err();
    assert!(error.to_string().contains("tenant"), "{error}");
    let plain = ClientCredentials::builder("http://as.example/token", "id", basic());
    assert!(plain.danger_allow_http(true).build(transport()).is_ok());
}

/// RFC 6749 §2.3.
#[tokio::test]
async fn an_id_and_a_secret_full_of_reserved_characters_are_encoded() {
    let server = server().await;
    let secret = "p@ss:w%rd+/= &?#~\"\\é";
    for authentication in [
        ClientAuthentication::client_secret_basic(secret),
        ClientAuthentication::client_secret_post(secret),
    ] {
        let url = server.token_endpoint();
        let builder = ClientCredentials::builder(url, "we:ird id", authentication);
        let tokens = TokenCache::new(builder.build(transport()).unwrap());
        tokens.token().await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let in_header = request.headers().contains_key("authorization");
        let body = std::str::from_utf8(request.body()).unwrap().to_owned();
        assert_ne!(
            in_header,
            body.contains("client_secret"),
            "exactly one authentication method"
        );
        assert!(!request.uri().to_string().contains("client"));
    }
}

#[tokio::test]
async fn a_token_request_adds_to_the_defaults_of_the_source() {
    let server = AuthorizationServer::builder()
        .client("id", "secret")
        .start()
        .await
        .unwrap();
    let authentication = ClientAuthentication::client_secret_basic("secret");
    let source = ClientCredentials::builder(server.token_endpoint(), "id", authentication)
        .scope("by_default")
        .parameter("tenant", "one")
        .build(transport())
        .unwrap();
    let request = TokenRequest::builder()
        .scope("b a")
        .resource("https://one.example/")
        .resource("https://two.example/")
        .audience("orders")
        .build()
        .unwrap();
    TokenCache::new(source.clone()).token().await.unwrap();
    let other = TokenCache::builder(source).request(request).build();
    other.token().await.unwrap();
    let bodies: Vec<_> = server.requests().iter().map(|r| r.body().clone()).collect();
    assert_eq!(
        bodies,
        [
            "grant_type=client_credentials&scope=by_default&tenant=one",
            "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fone.example%2F\
             &resource=https%3A%2F%2Ftwo.example%2F&audience=orders&tenant=one",
        ]
    );
}

/// RFC 6749 §5.1.
#[tokio::test]
async fn granted_scopes_are_those_of_the_response_or_else_the_requested_ones() {
    let server = AuthorizationServer::builder()
        .client("id", "secret")
        .echo_scope(false);
    let server = server.start().await.unwrap();
    let granted = async || {
        let authentication = ClientAuthentication::client_secret_basic("secret");
        let source = ClientCredentials::builder(server.token_endpoint(), "id", authentication)
            .scope("b a")
            .build(transport())
            .unwrap();
        TokenCache::new(source)
            .token()
            .await
            .unwrap()
            .scopes()
            .to_string()
    };
    assert_eq!(granted().await, "a b");
    let narrowed = r#"{"access_token":"t","token_type":"bearer","scope":"a"}"#;
    server.fail_next(1, Answer::json(narrowed));
    assert_eq!(granted().await, "a");
}

#[tokio::test]
async fn a_rotated_secret_is_read_from_its_file() {
    let server = AuthorizationServer::builder()
        .client("id", "old")
        .start()
        .await
        .unwrap();
    let path = std::env::temp_dir().join(format!("auth-it-rotated-{}", std::process::id()));
    std::fs::write(&path, "old\n").unwrap();
    let secret = ClientSecret::from_file(&path).unwrap();
    let authentication = ClientAuthentication::client_secret_basic(secret);
    let source = ClientCredentials::builder(server.token_endpoint(), "id", authentication)
        .build(transport())
        .unwrap();
    TokenCache::new(source.clone()).token().await.unwrap();
    server.set_client("id", "new");
    std::fs::write(&path, "new\n").unwrap();
    TokenCache::new(source.clone()).token().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = with_timeout(TokenCache::new(source).token())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        server.token_requests(),
        2,
        "no token request is sent without a secret"
    );
}

#[tokio::test]
async fn an_error_response_with_a_body_that_is_too_large_keeps_its_status() {
    let server = AuthorizationServer::builder()
        .client("id", "secret")
        .start()
        .await
        .unwrap();
    let page = Bytes::from(vec![b'x'; 2 << 20]);
    let wait = std::time::Duration::from_secs(60);
    for (status, kind, retry_after) in [
        (
            StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable,
            Some(wait),
        ),
        (StatusCode::UNAUTHORIZED, ErrorKind::Denied, Some(wait)),
    ] {
        let answer = Answer::status(status)
            .with_retry_after(wait)
            .with_body(page.clone());
        server.fail_next(1, answer);
        let authentication = ClientAuthentication::client_secret_basic("secret");
        let source = ClientCredentials::builder(server.token_endpoint(), "id", authentication)
            .build(transport())
            .unwrap();
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.server_retry_after()),
            (kind, retry_after)
        );
    }
}
