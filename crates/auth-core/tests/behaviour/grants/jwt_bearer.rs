//! The JWT bearer grant.

use std::sync::{Arc, Mutex};

use auth_core::{
    Assertion, AssertionContext, ClientAuthentication, ClientSecret, JwtBearer, TokenCache,
    TokenEndpoint, TokenRequest, TokenSource, assertion_fn,
};

use super::{Fixed, JWT, Numbered, endpoint, scope};
use crate::recording_transport::Recording;

const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

/// The form of Google's service accounts (`google/oauth2/_client.py` of google-auth-library-python),
/// of DocuSign (`src/ApiClient.js` of docusign-esign-node-client) and of Maskinporten
/// (<https://docs.digdir.no/docs/Maskinporten/maskinporten_protocol_token>): all else is in the
/// assertion.
#[tokio::test]
async fn rfc7523_2_1_providers_that_expect_the_parameters_in_the_assertion() {
    for (url, requested) in [
        (
            "https://oauth2.googleapis.com/token",
            "https://www.googleapis.com/auth/cloud-platform",
        ),
        (
            "https://account.docusign.com/oauth/token",
            "signature impersonation",
        ),
        ("https://maskinporten.no/token", "digdir:dpi"),
    ] {
        let transport = Recording::issuing();
        let seen = Arc::new(Mutex::new(String::new()));
        let source = {
            let seen = Arc::clone(&seen);
            assertion_fn(move |context: AssertionContext| {
                *seen.lock().unwrap() = format!(
                    "{} {} {}",
                    context.token_endpoint(),
                    context.request().scopes(),
                    context.grant_type()
                );
                async { Assertion::new(JWT) }
            })
        };
        let grant = JwtBearer::new(endpoint(url, &transport), source).unwrap();
        let grant = grant
            .parameters_in_assertion(true)
            .with_defaults(scope(requested));
        let response = grant
            .unwrap()
            .fetch(&TokenRequest::default())
            .await
            .unwrap();
        assert_eq!(transport.form(), format!("{GRANT}&assertion={JWT}"));
        assert!(!transport.headers().contains_key("authorization"));
        // RFC 6749 section 5.1
        assert_eq!(response.scopes(), Some(scope(requested).scopes()));
        let requested = scope(requested).scopes().to_string();
        let expected = format!("{url} {requested} urn:ietf:params:oauth:grant-type:jwt-bearer");
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}

/// `pkg/client/jwt_profile.go` of zitadel/oidc.
#[tokio::test]
async fn zitadel_expects_the_scope_in_the_form() {
    let transport = Recording::issuing();
    let url = "https://my-instance.zitadel.cloud/oauth/v2/token";
    let grant = JwtBearer::new(endpoint(url, &transport), Fixed(JWT)).unwrap();
    let project = scope("openid urn:zitadel:iam:org:project:id:123:aud");
    grant.fetch(&project).await.unwrap();
    assert_eq!(
        transport.form(),
        format!(
            "{GRANT}&assertion={JWT}\
             &scope=openid+urn%3Azitadel%3Aiam%3Aorg%3Aproject%3Aid%3A123%3Aaud"
        )
    );
}

#[tokio::test]
async fn each_http_request_has_an_assertion_of_its_own() {
    let transport = Recording::failing(|| "connection reset");
    let authentication = ClientAuthentication::client_assertion(Numbered::new("client"));
    let endpoint = TokenEndpoint::builder("https://as.example/token", authentication);
    let endpoint = endpoint.client_id("my-client").build(transport.clone());
    let grant = JwtBearer::new(endpoint.unwrap(), Numbered::new("grant")).unwrap();
    TokenCache::new(grant).token().await.unwrap_err();
    let forms = transport.forms();
    assert_eq!(forms.len(), 2, "the immediate retry");
    for (at, form) in forms.iter().enumerate() {
        let number = at + 1;
        assert!(
            form.contains(&format!("&assertion=grant-{number}&")),
            "{form}"
        );
        assert!(
            form.ends_with(&format!("client_assertion=client-{number}")),
            "{form}"
        );
    }
}

/// The authorization server may have recorded the first one, and accepts it once.
#[tokio::test]
async fn the_second_secret_of_a_client_is_tried_with_another_assertion() {
    let transport = Recording::accepting("client_secret=current", r#"{"error":"invalid_client"}"#);
    let secret = ClientSecret::rotating("next", "current");
    let authentication = ClientAuthentication::client_secret_post(secret);
    let endpoint = TokenEndpoint::builder("https://as.example/token", authentication);
    let endpoint = endpoint.client_id("my-client").build(transport.clone());
    let grant = JwtBearer::new(endpoint.unwrap(), Numbered::new("grant")).unwrap();
    grant.fetch(&TokenRequest::default()).await.unwrap();
    let forms = transport.forms();
    assert!(forms[0].contains("assertion=grant-1&"), "{forms:?}");
    assert!(forms[1].contains("assertion=grant-2&"), "{forms:?}");
}

#[tokio::test]
async fn a_change_of_either_assertion_ends_the_backoff_after_a_denial() {
    let (client, grant) = (Numbered::new("client"), Numbered::new("grant"));
    let denial = r#"{"error":"invalid_grant"}"#;
    let transport = Recording::answering(400, denial);
    let authentication = ClientAuthentication::client_assertion(client.clone());
    let endpoint = TokenEndpoint::builder("https://as.example/token", authentication);
    let endpoint = endpoint.build(transport).unwrap();
    let source = JwtBearer::new(endpoint, grant.clone()).unwrap();
    assert!(!source.credentials_changed().await, "none was denied");
    for changed in [&client, &grant] {
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert!(error.to_string().contains("subject"), "{error}");
        assert!(!source.credentials_changed().await);
        changed.change();
        assert!(source.credentials_changed().await);
    }
}

#[tokio::test]
async fn a_failed_source_is_asked_again_only_after_its_version_has_changed() {
    let keys = Numbered::new("unused");
    let failing = FailsWithVersion(keys.clone());
    let transport = Recording::issuing();
    let endpoint = endpoint("https://as.example/token", &transport);
    let source = JwtBearer::new(endpoint, failing).unwrap();
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "assertion: no key");
    assert_eq!(transport.requests(), 0);
    assert!(!source.credentials_changed().await);
    keys.change();
    assert!(source.credentials_changed().await);
}

#[derive(Debug)]
struct FailsWithVersion(Numbered);

#[auth_core::async_trait]
impl auth_core::AssertionSource for FailsWithVersion {
    async fn assertion(&self, _: &AssertionContext) -> Result<Assertion, auth_core::Error> {
        Err(auth_core::Error::configuration("no key"))
    }

    async fn version(&self) -> Option<u64> {
        Some(self.0.current())
    }
}

#[test]
fn only_a_grant_that_names_its_subject_shares_its_token() {
    let transport = Recording::issuing();
    let grant = |url: &str| JwtBearer::new(endpoint(url, &transport), Fixed(JWT)).unwrap();
    let url = "https://as.example/token";
    let request = scope("orders");
    assert!(grant(url).shared_key(&request).is_none());
    let key = |subject: &str| {
        grant(url)
            .with_subject(subject)
            .unwrap()
            .shared_key(&request)
    };
    assert_eq!(key("alice"), key("alice"));
    assert_ne!(key("alice"), key("bob"));
    let defaults = grant(url)
        .with_subject("alice")
        .unwrap()
        .with_defaults(request.clone());
    let by_default = defaults.unwrap().shared_key(&TokenRequest::default());
    assert_eq!(by_default, key("alice"));
    let error = grant(url).with_subject(" ").unwrap_err();
    assert!(error.to_string().contains("whose token"), "{error}");
}

#[test]
fn a_parameter_that_would_be_sent_twice_is_an_error_at_construction() {
    let transport = Recording::issuing();
    let url = "https://as.example/token?assertion=x";
    let error = JwtBearer::new(endpoint(url, &transport), Fixed(JWT)).unwrap_err();
    assert!(error.to_string().contains("assertion"), "{error}");
    let url = "https://as.example/token?tenant=1";
    for (name, told) in [("tenant", "sent twice"), ("Assertion", "the grant urn:")] {
        let defaults = TokenRequest::builder()
            .parameter(name, "2")
            .build()
            .unwrap();
        let grant = JwtBearer::new(endpoint(url, &transport), Fixed(JWT)).unwrap();
        let error = grant.clone().with_defaults(defaults.clone()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        // a claim is not sent beside the assertion
        let grant = grant.parameters_in_assertion(true);
        assert!(grant.with_defaults(defaults).is_ok());
    }
}
