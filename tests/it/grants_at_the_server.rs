//! The grants of auth-core at the authorization server of auth-testing: refresh tokens, token exchange, revocation,
//! metadata.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Assertion, Authorizer, ClientAuthentication, ClientCredentials, Error, ErrorKind, RefreshToken,
    RefreshTokenStore, SecretString, TokenCache, TokenEndpoint, TokenEndpointBuilder,
    TokenExchange, TokenRequest, TokenSource, TokenType, assertion_fn, async_trait,
};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{hyper_clients::hyper_client, reqwest_clients::reqwest_builder};
use auth_testing::{
    Answer, AuthorizationServer, ManualClock, MetadataPath, ProtectedApi, serde_json::json,
};
use auth_tower::{AuthLayer, TowerTransport};
use http::{HeaderValue, Request, StatusCode, header::LOCATION};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};

/// A refresh token in memory, and how often it was saved.
#[derive(Clone, Debug)]
struct Saved(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl RefreshTokenStore for Saved {
    async fn load(&self) -> Result<SecretString, Error> {
        let saved = self.0.lock().unwrap();
        Ok(SecretString::from(saved.last().unwrap().as_str()))
    }

    async fn save(&self, token: &SecretString) -> Result<(), Error> {
        self.0.lock().unwrap().push(token.expose().to_owned());
        Ok(())
    }
}

fn secret() -> ClientAuthentication {
    ClientAuthentication::client_secret_basic("secret")
}

fn endpoint(server: &AuthorizationServer) -> TokenEndpointBuilder {
    TokenEndpoint::builder(server.token_endpoint(), secret())
        .client_id("client")
        .revocation_endpoint(server.revocation_endpoint())
}

fn reqwest() -> ReqwestTransport {
    ReqwestTransport::new(reqwest_builder()).unwrap()
}

async fn server(clock: &ManualClock) -> AuthorizationServer {
    AuthorizationServer::builder()
        .client("client", "secret")
        .exchange_tokens()
        .clock(Arc::new(clock.clone()))
        .start()
        .await
        .unwrap()
}

/// Twenty access tokens expire, and fifty requests need each of the next ones at once.
#[tokio::test]
async fn rfc9700_4_14_2_no_refresh_token_is_presented_twice_while_requests_use_the_client() {
    let clock = ManualClock::new();
    let server = server(&clock).await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let first = server.issue_refresh_token("client", "a b");
    let saved = Saved(Arc::new(Mutex::new(vec![first])));
    let grant = endpoint(&server).build(TowerTransport::new(hyper_client()));
    let grant = RefreshToken::new(grant.unwrap(), saved.clone()).unwrap();
    let tokens = TokenCache::builder(grant).clock(clock.clone()).build();
    let builder = Authorizer::builder(tokens.clone()).origin(api.url());
    let client = AuthLayer::new(builder.build().unwrap()).layer(hyper_client());
    for _ in 0..20 {
        let mut requests = JoinSet::new();
        for _ in 0..50 {
            let request = Request::get(api.url()).body(Full::default()).unwrap();
            let sent = client.clone().oneshot(request);
            requests.spawn(async move { sent.await.unwrap().status() });
        }
        assert!(
            requests
                .join_all()
                .await
                .iter()
                .all(|status| *status == 200)
        );
        tokens.flush().await;
        clock.advance(Duration::from_secs(600));
    }
    assert_eq!(
        (server.token_requests(), server.refresh_token_reuses()),
        (20, 0)
    );
    let saved = saved.0.lock().unwrap();
    assert_eq!(saved.len(), 21);
    assert!(server.is_active_refresh_token(saved.last().unwrap()));
}

#[tokio::test]
async fn rfc7009_a_cache_revokes_its_token_at_the_server() {
    let clock = ManualClock::new();
    let server = server(&clock).await;
    let grant = endpoint(&server).build(reqwest()).unwrap();
    let grant = ClientCredentials::new(grant, TokenRequest::default()).unwrap();
    let tokens = TokenCache::builder(grant).clock(clock.clone()).build();
    let token = tokens.token().await.unwrap();
    server.fail_next_revocation(1, Answer::status(StatusCode::SERVICE_UNAVAILABLE));
    let error = tokens.revoke().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(server.is_active(token.secret()));
    tokens.revoke().await.unwrap();
    assert!(!server.is_active(token.secret()));
    assert_ne!(tokens.token().await.unwrap().secret(), token.secret());
    assert_eq!(
        (server.revocation_requests(), server.token_requests()),
        (2, 2)
    );
}

#[tokio::test]
async fn rfc8693_a_token_of_the_server_is_exchanged_for_one_with_fewer_scopes() {
    let server = server(&ManualClock::new()).await;
    let subject = server.issue_token("a b");
    let exchange = |subject: &str| {
        let subject = subject.to_owned();
        let source = assertion_fn(move |_| {
            let subject = subject.clone();
            async move { Assertion::new(subject) }
        });
        let endpoint = endpoint(&server).build(reqwest()).unwrap();
        let grant = TokenExchange::new(endpoint, source, TokenType::ACCESS_TOKEN).unwrap();
        let request = TokenRequest::builder().scope("a").build().unwrap();
        grant.with_defaults(request).unwrap()
    };
    let response = exchange(&subject)
        .fetch(&TokenRequest::default())
        .await
        .unwrap();
    assert_eq!(response.scopes().unwrap().to_string(), "a");
    server.revoke(&subject);
    let error = exchange(&subject)
        .fetch(&TokenRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_request"), "{error}");
}

/// The document at either path, a moved token endpoint, and documents that are not the server's.
#[tokio::test]
async fn rfc8414_metadata_of_the_server_is_used_and_checked() {
    let source = |server: &AuthorizationServer| {
        let endpoint = TokenEndpoint::discover(server.issuer(), secret()).client_id("client");
        ClientCredentials::new(endpoint.build(reqwest()).unwrap(), TokenRequest::default()).unwrap()
    };
    let request = TokenRequest::default();
    let clock = ManualClock::new();
    for paths in [vec![MetadataPath::OAuth], vec![MetadataPath::OpenId]] {
        let server = server(&clock).await;
        server.set_metadata_paths(paths);
        source(&server).fetch(&request).await.unwrap();
        server.move_token_endpoint("/v2/token");
        source(&server).fetch(&request).await.unwrap();
        assert_eq!(server.tokens_issued(), 2);
    }
    let server = server(&clock).await;
    server.set_metadata("issuer", "https://another.example");
    let error = source(&server)
        .fetch(&request)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("https://another.example"), "{error}");
    server.set_metadata("issuer", server.issuer());
    server.set_metadata("token_endpoint", json!(7));
    assert!(source(&server).fetch(&request).await.is_err());
    server.set_metadata("token_endpoint", server.token_endpoint());
    let moved = HeaderValue::from_str(&server.token_endpoint()).unwrap();
    let moved = Answer::status(StatusCode::FOUND).with_header(LOCATION, moved);
    server.fail_all_metadata(moved);
    assert!(source(&server).fetch(&request).await.is_err());
    assert_eq!(server.token_requests(), 0);
    server.recover();
    source(&server).fetch(&request).await.unwrap();
}
