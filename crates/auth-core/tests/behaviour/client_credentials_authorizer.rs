//! `Authorizer::client_credentials`: the grant, the cache and the allowed origins in one builder.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentialsAuthorizerBuilder, ClientSecret, ErrorKind,
    TokenRequest, adapter::Decision,
};
use auth_test_support::{
    get,
    hyper_clients::{HyperClient, hyper_client},
};
use auth_testing::AuthorizationServer;
use auth_tower::TowerTransport;
use http::{HeaderMap, header::AUTHORIZATION};

const API: &str = "https://api.example";
const ORDERS: &str = "https://orders.example";
/// `my-client` and `s3cr3t` by `client_secret_basic`.
const BASIC: &str = "Basic bXktY2xpZW50OnMzY3IzdA==";

fn transport() -> TowerTransport<HyperClient> {
    TowerTransport::new(hyper_client())
}

async fn server() -> AuthorizationServer {
    let server = AuthorizationServer::builder().client("my-client", "s3cr3t");
    server.start().await.unwrap()
}

fn builder(server: &AuthorizationServer) -> ClientCredentialsAuthorizerBuilder {
    let secret = ClientSecret::from("s3cr3t");
    Authorizer::client_credentials(server.token_endpoint(), "my-client", secret)
}

/// Returns the token that a request is sent with. `None`: it is sent without one.
async fn token(authorizer: &Authorizer, uri: &str) -> Option<String> {
    let attempt = match authorizer.authorize(&get(uri)) {
        Decision::PassThrough(_) => return None,
        Decision::Authorize(attempt) => attempt,
        Decision::Wait(attempt) => attempt.await.unwrap(),
    };
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    Some(headers[AUTHORIZATION].to_str().unwrap().to_owned())
}

/// The `Authorization` header and the body of each token request so far.
fn token_requests(server: &AuthorizationServer) -> Vec<(Option<String>, String)> {
    let requests = server.requests();
    let requests = requests.iter().map(|request| {
        let header = request.headers().get(AUTHORIZATION);
        let body = std::str::from_utf8(request.body()).unwrap().to_owned();
        (header.map(|h| h.to_str().unwrap().to_owned()), body)
    });
    requests.collect()
}

#[track_caller]
fn error(builder: ClientCredentialsAuthorizerBuilder) -> String {
    let error = builder.build(transport()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[tokio::test]
async fn a_client_secret_authenticates_by_client_secret_basic() {
    let server = server().await;
    let authorizer = builder(&server).origin(API).build(transport()).unwrap();
    token(&authorizer, API).await.unwrap();
    let body = "grant_type=client_credentials".to_owned();
    assert_eq!(token_requests(&server), [(Some(BASIC.to_owned()), body)]);
}

#[tokio::test]
async fn another_client_authentication_can_be_passed() {
    let server = server().await;
    let post = ClientAuthentication::client_secret_post("s3cr3t");
    let builder = Authorizer::client_credentials(server.token_endpoint(), "my-client", post);
    let authorizer = builder.origin(API).build(transport()).unwrap();
    token(&authorizer, API).await.unwrap();
    let (header, body) = token_requests(&server).remove(0);
    assert_eq!(header, None);
    assert!(body.contains("client_id=my-client"), "{body}");
    assert!(body.contains("client_secret=s3cr3t"), "{body}");
}

#[tokio::test]
async fn the_token_request_contains_scope_audience_resource_and_parameters() {
    let server = server().await;
    let authorizer = builder(&server)
        .scope("b")
        .scope("a")
        .audience("orders")
        .resource("https://one.example/")
        .parameter("tenant", "one")
        .origin(API)
        .build(transport())
        .unwrap();
    token(&authorizer, API).await.unwrap();
    let (_, body) = token_requests(&server).remove(0);
    assert_eq!(
        body,
        "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fone.example%2F\
         &audience=orders&tenant=one"
    );
}

#[tokio::test]
async fn the_token_goes_to_the_listed_origins_only() {
    let server = server().await;
    let authorizer = builder(&server)
        .origin(API)
        .origin_of("https://by-url.example:8443/v1/orders?id=1")
        .build(transport())
        .unwrap();
    let api = token(&authorizer, "https://api.example/v1").await;
    assert!(api.is_some());
    assert_eq!(
        token(&authorizer, "https://by-url.example:8443/v2").await,
        api
    );
    for unlisted in ["https://by-url.example/v1/orders", "https://other.example"] {
        assert_eq!(token(&authorizer, unlisted).await, None, "{unlisted}");
    }
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn an_origin_with_a_token_request_gets_a_token_of_its_own() {
    let server = server().await;
    let orders = TokenRequest::builder().scope("orders").build().unwrap();
    let authorizer = builder(&server)
        .scope("by_default")
        .origin(API)
        .origin_with(ORDERS, orders)
        .build(transport())
        .unwrap();
    let (api, orders) = (
        token(&authorizer, API).await.unwrap(),
        token(&authorizer, ORDERS).await.unwrap(),
    );
    assert_ne!(api, orders);
    let bodies: Vec<_> = token_requests(&server).into_iter().map(|r| r.1).collect();
    assert_eq!(
        bodies,
        [
            "grant_type=client_credentials&scope=by_default",
            "grant_type=client_credentials&scope=orders"
        ]
    );
}

#[tokio::test]
async fn invalid_settings_of_the_grant_are_errors_of_build() {
    let secret = || ClientSecret::from("s3cr3t");
    let good = "https://as.example/token";
    let start = |url, id, secret| Authorizer::client_credentials(url, id, secret).origin(API);
    assert!(error(start("as.example/token", "id", secret())).contains("without a scheme"));
    assert!(error(start("http://as.example/token", "id", secret())).contains("loopback"));
    assert!(error(start(good, "", secret())).contains("client id"));
    assert!(error(start(good, "id", ClientSecret::from(""))).contains("client secret"));
    assert!(error(start(good, "id", secret()).scope("a\"b")).contains("scope"));
    let resource = start(good, "id", secret()).resource("no url");
    assert!(error(resource).contains("resource"));
}

#[tokio::test]
async fn invalid_origins_are_errors_of_build() {
    let server = server().await;
    let none = error(builder(&server));
    assert!(none.contains("origin"), "{none}");
    for wrong in ["http://api.example", "https://api.example/v1", "*"] {
        let text = error(builder(&server).origin(wrong));
        assert!(text.contains("origin"), "{wrong}: {text}");
    }
    let wrong_url = error(builder(&server).origin_of("api.example/v1"));
    assert!(wrong_url.contains("without a scheme"), "{wrong_url}");
    let scope = |scope| TokenRequest::builder().scope(scope).build().unwrap();
    let two = builder(&server)
        .origin_with(ORDERS, scope("one"))
        .origin_with(ORDERS, scope("two"));
    let two = error(two);
    assert!(two.contains(ORDERS) && two.contains("two"), "{two}");
    assert_eq!(server.token_requests(), 0);
}

#[test]
fn a_printed_builder_shows_no_secret() {
    let secret = ClientSecret::from("s3cr3t");
    let builder = Authorizer::client_credentials("https://as.example/token", "my-client", secret);
    let shown = format!("{:?}", builder.origin(API));
    assert!(shown.contains("my-client"), "{shown}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
}
