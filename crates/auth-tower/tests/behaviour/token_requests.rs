//! The token requests of the transport in a stack of layers, and `Debug` of the services.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, HttpTransport,
    TokenRequest, TokenSource,
};
use auth_test_support::{
    hyper_clients::hyper_client,
    secrets::{GOOD, grant},
};
use auth_testing::AuthorizationServer;
use auth_tower::{AuthLayer, TowerTransport};
use http::{
    HeaderName, HeaderValue,
    header::{ACCEPT_ENCODING, USER_AGENT},
};
use tower::{Layer, ServiceBuilder};
use tower_http::set_header::SetRequestHeaderLayer;

/// Returns the `User-Agent` and the `Accept-Encoding` of a token request.
async fn sent(
    transport: impl HttpTransport,
    set: impl FnOnce(ClientCredentialsBuilder) -> ClientCredentialsBuilder,
) -> (Vec<HeaderValue>, HeaderValue) {
    let server = AuthorizationServer::builder().client("id", "s3cr3t-of-it");
    let server = server.start().await.unwrap();
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    let builder = ClientCredentials::builder(server.token_endpoint(), "id", authentication);
    let source = set(builder).build(transport).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    let headers = server.requests()[0].headers().clone();
    let user_agents = headers.get_all(USER_AGENT).iter().cloned();
    (user_agents.collect(), headers[ACCEPT_ENCODING].clone())
}

const OURS: &str = concat!("auth-core/", env!("CARGO_PKG_VERSION"));
const THEIRS: HeaderValue = HeaderValue::from_static("theirs/1");

#[tokio::test]
async fn user_agent_is_ours_where_no_layer_sets_one() {
    let sent = sent(TowerTransport::new(hyper_client()), |grant| grant).await;
    assert_eq!(
        sent,
        (
            vec![HeaderValue::from_static(OURS)],
            HeaderValue::from_static("identity")
        )
    );
}

#[tokio::test]
async fn user_agent_of_a_layer_that_overrides_it_wins() {
    let client = ServiceBuilder::new()
        .layer(SetRequestHeaderLayer::overriding(USER_AGENT, THEIRS))
        .service(hyper_client());
    let sent = sent(TowerTransport::new(client), |grant| grant).await;
    assert_eq!(sent.0, [THEIRS]);
}

/// A layer that sets a header only where there is none needs a request without one.
#[tokio::test]
async fn user_agent_of_a_layer_that_completes_it_wins_where_ours_is_omitted() {
    let client = ServiceBuilder::new()
        .layer(SetRequestHeaderLayer::if_not_present(USER_AGENT, THEIRS))
        .service(hyper_client());
    let transport = TowerTransport::new(client);
    let sent = sent(transport, ClientCredentialsBuilder::no_user_agent).await;
    assert_eq!(sent.0, [THEIRS]);
}

#[tokio::test]
async fn debug_prints_no_header_of_an_inner_service() {
    let name = HeaderName::from_static("x-api-key");
    let key = HeaderValue::from_static("d3f4ult");
    let inner = ServiceBuilder::new()
        .layer(SetRequestHeaderLayer::overriding(name, key))
        .service(hyper_client());
    let tokens = auth_core::TokenCache::new(grant(GOOD));
    let authorizer = Authorizer::builder(tokens)
        .origin("https://api.example")
        .build();
    let service = AuthLayer::new(authorizer.unwrap()).layer(inner.clone());
    let shown = format!("{service:?} {:?}", TowerTransport::new(inner));
    assert!(!shown.contains("d3f4ult"), "{shown}");
}
