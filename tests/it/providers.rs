//! Every preset gets its token from a server that behaves as the provider's documents say, byte for
//! byte on the wire: method, path, headers, body.

use std::time::Duration;

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentialsBuilder, HttpTransport, TokenCache,
    provider::Provider,
};
use auth_testing::{AuthorizationServer, ClientAuthenticationMethod};
use auth_tower::TowerTransport;
use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

const ID: &str = "sandbox-round-apple-123";
const SECRET: &str = "fakeCl13n7S3Cr3T1234567890";
/// From Signicat's documents.
const BASIC: &str = "Basic c2FuZGJveC1yb3VuZC1hcHBsZS0xMjM6ZmFrZUNsMTNuN1MzQ3IzVDEyMzQ1Njc4OTA=";

/// A server like the provider's, on loopback.
struct Documented {
    path: &'static str,
    method: ClientAuthenticationMethod,
    lifetime: u64,
    scopes: &'static str,
    echoes_scope: bool,
}

/// What it has to receive.
struct Expected {
    url: &'static str,
    authorization: Option<&'static str>,
    body: &'static str,
}

impl Documented {
    async fn start(&self) -> AuthorizationServer {
        let server = AuthorizationServer::builder()
            .client(ID, SECRET)
            .accept([self.method])
            .token_endpoint_path(self.path)
            .token_lifetime(Duration::from_secs(self.lifetime))
            .echo_scope(self.echoes_scope);
        let server = if self.scopes.is_empty() {
            server
        } else {
            server.scopes(self.scopes)
        };
        server.start().await.unwrap()
    }
}

/// Connects to `server` whatever the URL says, and checks that it says `url`.
fn rerouted(server: &AuthorizationServer, url: &'static str) -> impl HttpTransport + use<> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let issuer: Uri = server.issuer().parse().unwrap();
    let reroute = move |mut request: Request<Full<Bytes>>| {
        assert_eq!(request.uri(), url);
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = issuer.scheme().cloned();
        parts.authority = issuer.authority().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap();
        request
    };
    TowerTransport::new(
        ServiceBuilder::new()
            .map_request(reroute)
            .service(client.map_err(|e| e)),
    )
}

async fn check(builder: ClientCredentialsBuilder, documented: Documented, expected: Expected) {
    let server = documented.start().await;
    let transport = rerouted(&server, expected.url);
    let tokens = TokenCache::new(builder.build(transport).unwrap());
    let before = std::time::SystemTime::now();
    let token = tokens.token().await.unwrap();

    assert!(server.is_active(token.secret()));
    let lifetime = token.expires_at().duration_since(before).unwrap();
    assert_eq!(lifetime.as_secs_f64().round(), documented.lifetime as f64);
    let granted = token.scopes().to_string();
    assert_eq!(granted.is_empty(), documented.scopes.is_empty());

    let [request] = &server.requests()[..] else {
        panic!("expected one request");
    };
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path_and_query().unwrap(), documented.path);
    assert_eq!(request.body(), expected.body);
    let mut headers = HeaderMap::new();
    headers.insert("accept", "application/json".parse().unwrap());
    let form = "application/x-www-form-urlencoded";
    headers.insert("content-type", form.parse().unwrap());
    headers.insert("content-length", expected.body.len().into());
    let host = server.issuer().replace("http://", "");
    headers.insert("host", host.parse().unwrap());
    if let Some(authorization) = expected.authorization {
        headers.insert("authorization", authorization.parse().unwrap());
    }
    assert_eq!(request.headers(), &headers);
}

fn idfy(path: &'static str) -> Documented {
    Documented {
        path,
        method: ClientAuthenticationMethod::ClientSecretBasicRaw,
        lifetime: 3600,
        scopes: "document_read document_write",
        echoes_scope: false,
    }
}

#[tokio::test]
async fn idfy_test() {
    let builder = Provider::idfy_test().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://oauth2test.signere.com/connect/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials&scope=document_read",
    };
    check(
        builder.scope("document_read"),
        idfy("/connect/token"),
        expected,
    )
    .await;
}

#[tokio::test]
async fn idfy_production() {
    let builder = Provider::idfy().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://oauth.signere.no/connect/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials&scope=document_read",
    };
    check(
        builder.scope("document_read"),
        idfy("/connect/token"),
        expected,
    )
    .await;
}

#[tokio::test]
async fn idfy_deprecated() {
    let builder = Provider::idfy_deprecated().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://api.idfy.io/oauth/connect/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials&scope=document_read",
    };
    let documented = idfy("/oauth/connect/token");
    check(builder.scope("document_read"), documented, expected).await;
}

#[tokio::test]
async fn signicat_express() {
    let builder = Provider::signicat_express().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://api.signicat.io/oauth/connect/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials&scope=document_read+document_write",
    };
    let documented = idfy("/oauth/connect/token");
    let builder = builder.scope("document_read document_write");
    check(builder, documented, expected).await;
}

fn signicat_documented(method: ClientAuthenticationMethod) -> Documented {
    Documented {
        path: "/auth/open/connect/token",
        method,
        lifetime: 600,
        scopes: "signicat-api",
        echoes_scope: true,
    }
}

#[tokio::test]
async fn signicat() {
    let builder = Provider::signicat().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://api.signicat.com/auth/open/connect/token",
        authorization: None,
        body: "grant_type=client_credentials&scope=signicat-api\
               &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890",
    };
    let documented = signicat_documented(ClientAuthenticationMethod::ClientSecretPost);
    check(builder, documented, expected).await;
}

#[tokio::test]
async fn signicat_by_basic() {
    let builder = Provider::signicat()
        .client_credentials(ID, SECRET)
        .authentication(ClientAuthentication::client_secret_basic(SECRET));
    let expected = Expected {
        url: "https://api.signicat.com/auth/open/connect/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials&scope=signicat-api",
    };
    let documented = signicat_documented(ClientAuthenticationMethod::ClientSecretBasic);
    check(builder, documented, expected).await;
}

fn idnow_documented(method: ClientAuthenticationMethod) -> Documented {
    Documented {
        path: "/oidc/token",
        method,
        lifetime: 86_400,
        scopes: "",
        echoes_scope: false,
    }
}

#[tokio::test]
async fn a_presets_scope_can_be_overridden() {
    let builder = Provider::signicat().client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://api.signicat.com/auth/open/connect/token",
        authorization: None,
        body: "grant_type=client_credentials&scope=other\
               &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890",
    };
    let documented = Documented {
        scopes: "other",
        ..signicat_documented(ClientAuthenticationMethod::ClientSecretPost)
    };
    check(builder.scope("other"), documented, expected).await;
}

#[tokio::test]
async fn idnow() {
    let builder = Provider::idnow("auth.customer.example").client_credentials(ID, SECRET);
    let expected = Expected {
        url: "https://auth.customer.example/oidc/token",
        authorization: None,
        body: "grant_type=client_credentials\
               &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890",
    };
    let documented = idnow_documented(ClientAuthenticationMethod::ClientSecretPost);
    check(builder, documented, expected).await;
}

#[tokio::test]
async fn idnow_by_basic() {
    let builder = Provider::idnow("auth.customer.example")
        .client_credentials(ID, SECRET)
        .authentication(ClientAuthentication::client_secret_basic(SECRET));
    let expected = Expected {
        url: "https://auth.customer.example/oidc/token",
        authorization: Some(BASIC),
        body: "grant_type=client_credentials",
    };
    let documented = idnow_documented(ClientAuthenticationMethod::ClientSecretBasic);
    check(builder, documented, expected).await;
}

#[tokio::test]
async fn a_provider_that_wants_a_scope_says_so_before_the_first_request() {
    let server = idfy("/connect/token").start().await;
    for provider in ["idfy", "idfy-test", "idfy-deprecated", "signicat-express"] {
        let builder = provider
            .parse::<Provider>()
            .unwrap()
            .client_credentials(ID, SECRET);
        let error = builder
            .build(rerouted(&server, ""))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(provider) && error.contains("scope"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_preset_names_the_origin_where_the_documents_do() {
    let server = idfy("/connect/token").start().await;
    for (provider, origin) in [
        (Provider::signicat(), "https://api.signicat.com/v1"),
        (Provider::signicat_express(), "https://api.signicat.io/v1"),
    ] {
        let credentials = provider.client_credentials(ID, SECRET).scope("x");
        let tokens = TokenCache::new(credentials.build(rerouted(&server, "")).unwrap());
        let authorizer = Authorizer::builder(tokens).origins(provider.api_origin());
        let request = Request::get(origin).body(()).unwrap();
        let decision = authorizer.build().unwrap().authorize(&request);
        assert!(
            matches!(decision, auth_core::Decision::Wait(_)),
            "{decision:?}"
        );
    }
    assert_eq!(Provider::idfy().api_origin(), None);
    assert_eq!(Provider::idnow("as.example").api_origin(), None);
    for nobody in [
        "nobody",
        "idnow:",
        "idnow",
        "Signicat",
        "idnow:https://a.example",
    ] {
        let error = nobody.parse::<Provider>().unwrap_err().to_string();
        assert!(
            error.contains("signicat-express") && error.contains(nobody),
            "{error}"
        );
    }
}
