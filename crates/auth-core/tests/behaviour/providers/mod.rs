//! Every preset gets a token from a server that behaves as the documents of the provider say. The tests
//! check method, path, headers and body of the token request byte by byte.

mod documented;

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentialsBuilder, TokenCache, adapter::Decision,
    provider::Provider,
};
use auth_testing::ClientAuthenticationMethod;
use http::Request;

use documented::{Documented, rerouted};

const ID: &str = "sandbox-round-apple-123";
const SECRET: &str = "fakeCl13n7S3Cr3T1234567890";
/// From Signicat's documents.
const BASIC: &str = "Basic c2FuZGJveC1yb3VuZC1hcHBsZS0xMjM6ZmFrZUNsMTNuN1MzQ3IzVDEyMzQ1Njc4OTA=";

const IDFY: Documented = Documented {
    method: ClientAuthenticationMethod::ClientSecretBasicRaw,
    lifetime: 3600,
    scopes: "document_read document_write",
    echoes_scope: false,
};

const SIGNICAT: Documented = Documented {
    method: ClientAuthenticationMethod::ClientSecretPost,
    lifetime: 600,
    scopes: "signicat-api",
    echoes_scope: true,
};

const SIGNICAT_BY_BASIC: Documented = Documented {
    method: ClientAuthenticationMethod::ClientSecretBasic,
    ..SIGNICAT
};

const IDNOW: Documented = Documented {
    method: ClientAuthenticationMethod::ClientSecretPost,
    lifetime: 86_400,
    scopes: "",
    echoes_scope: false,
};

const IDNOW_BY_BASIC: Documented = Documented {
    method: ClientAuthenticationMethod::ClientSecretBasic,
    ..IDNOW
};

fn grant(provider: &Provider) -> ClientCredentialsBuilder {
    provider.client_credentials(ID, SECRET)
}

fn grant_by_basic(provider: &Provider) -> ClientCredentialsBuilder {
    grant(provider).authentication(ClientAuthentication::client_secret_basic(SECRET))
}

#[tokio::test]
async fn idfy_test() {
    let grant = grant(&Provider::idfy_test()).scope("document_read");
    let url = "https://oauth2test.signere.com/connect/token";
    let body = "grant_type=client_credentials&scope=document_read";
    IDFY.serves(grant, url, Some(BASIC), body).await;
}

#[tokio::test]
async fn idfy_production() {
    let grant = grant(&Provider::idfy()).scope("document_read");
    let url = "https://oauth.signere.no/connect/token";
    let body = "grant_type=client_credentials&scope=document_read";
    IDFY.serves(grant, url, Some(BASIC), body).await;
}

#[tokio::test]
async fn idfy_deprecated() {
    let grant = grant(&Provider::idfy_deprecated()).scope("document_read");
    let url = "https://api.idfy.io/oauth/connect/token";
    let body = "grant_type=client_credentials&scope=document_read";
    IDFY.serves(grant, url, Some(BASIC), body).await;
}

#[tokio::test]
async fn signicat_express() {
    let grant = grant(&Provider::signicat_express()).scope("document_read document_write");
    let url = "https://api.signicat.io/oauth/connect/token";
    let body = "grant_type=client_credentials&scope=document_read+document_write";
    IDFY.serves(grant, url, Some(BASIC), body).await;
}

#[tokio::test]
async fn signicat() {
    let grant = grant(&Provider::signicat());
    let url = "https://api.signicat.com/auth/open/connect/token";
    let body = "grant_type=client_credentials&scope=signicat-api\
        &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890";
    SIGNICAT.serves(grant, url, None, body).await;
}

#[tokio::test]
async fn signicat_by_basic() {
    let grant = grant_by_basic(&Provider::signicat());
    let url = "https://api.signicat.com/auth/open/connect/token";
    let body = "grant_type=client_credentials&scope=signicat-api";
    SIGNICAT_BY_BASIC
        .serves(grant, url, Some(BASIC), body)
        .await;
}

#[tokio::test]
async fn a_presets_scope_can_be_overridden() {
    let grant = grant(&Provider::signicat()).scope("other");
    let url = "https://api.signicat.com/auth/open/connect/token";
    let body = "grant_type=client_credentials&scope=other\
        &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890";
    let documented = Documented {
        scopes: "other",
        ..SIGNICAT
    };
    documented.serves(grant, url, None, body).await;
}

#[tokio::test]
async fn idnow() {
    let grant = grant(&Provider::idnow("auth.customer.example"));
    let url = "https://auth.customer.example/oidc/token";
    let body = "grant_type=client_credentials\
        &client_id=sandbox-round-apple-123&client_secret=fakeCl13n7S3Cr3T1234567890";
    IDNOW.serves(grant, url, None, body).await;
}

#[tokio::test]
async fn idnow_by_basic() {
    let grant = grant_by_basic(&Provider::idnow("auth.customer.example"));
    let url = "https://auth.customer.example/oidc/token";
    let body = "grant_type=client_credentials";
    IDNOW_BY_BASIC.serves(grant, url, Some(BASIC), body).await;
}

#[test]
fn the_table_of_providers_is_that_of_the_presets() {
    let documentation = include_str!("../../../src/provider.rs");
    for name in [
        "signicat",
        "signicat-express",
        "idfy",
        "idfy-test",
        "idfy-deprecated",
        "idnow:HOST",
    ] {
        let provider = name.parse::<Provider>().unwrap();
        let row = format!("//! | `{name}` | `{}` |", provider.token_endpoint());
        let row = documentation
            .lines()
            .find(|line| line.starts_with(&row))
            .expect(name);
        let origin = provider
            .api_origin()
            .map_or("set by the caller".into(), |origin| format!("`{origin}`"));
        assert!(row.ends_with(&format!("| {origin} |")), "{row}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_an_error_of_build_if_the_provider_requires_one() {
    let server = IDFY.start("/connect/token").await;
    for provider in ["idfy", "idfy-test", "idfy-deprecated", "signicat-express"] {
        let grant = grant(&provider.parse().unwrap());
        let outcome = grant.build(rerouted(&server, ""));
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.contains(provider) && error.contains("scope"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_preset_names_the_origin_where_the_documents_do() {
    let server = IDFY.start("/connect/token").await;
    for (provider, origin) in [
        (Provider::signicat(), "https://api.signicat.com/v1"),
        (Provider::signicat_express(), "https://api.signicat.io/v1"),
    ] {
        let grant = grant(&provider).scope("x");
        let tokens = TokenCache::new(grant.build(rerouted(&server, "")).unwrap());
        let authorizer = Authorizer::builder(tokens).origins(provider.api_origin());
        let request = Request::get(origin).body(()).unwrap();
        let decision = authorizer.build().unwrap().authorize(&request);
        assert!(matches!(decision, Decision::Wait(_)), "{decision:?}");
    }
    assert_eq!(Provider::idfy().api_origin(), None);
    assert_eq!(Provider::idnow("as.example").api_origin(), None);
    for unknown in [
        "unknown",
        "idnow:",
        "idnow",
        "Signicat",
        "idnow:https://a.example",
    ] {
        let error = unknown.parse::<Provider>().unwrap_err().to_string();
        assert!(
            error.contains("signicat-express") && error.contains(unknown),
            "{error}"
        );
    }
}
