//! The assertions of auth-jose, octet by octet, at servers that demand what providers demand.

use std::{sync::Arc, time::Duration};

use auth_core::{
    AssertionFile, ClientAuthentication, ClientCredentials, Error, JwtBearer, TokenCache,
    TokenEndpoint, TokenEndpointBuilder, TokenRequest, TokenSource,
};
use auth_jose::{Algorithm, Audience, Jwt, JwtAssertion, PrivateKeyJwt, Signer, SigningKey};
use auth_reqwest::ReqwestTransport;
use auth_test_support::reqwest_clients::reqwest_builder;
use auth_testing::{
    AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder, ManualClock,
    VerificationKey, provider, serde_json::json,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::temporary_file::TemporaryFile;

const RSA: &str = include_str!("../../crates/auth-jose/tests/keys/rsa2048.pem");
/// 2025-01-01, when the manual clock starts.
const NOW: u64 = 1_735_689_600;
const CLIENT_ASSERTION: &str =
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
const JWT_BEARER: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

fn rsa() -> SigningKey {
    SigningKey::from_pem(RSA).unwrap()
}

fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_jwk(&key.public_jwk().unwrap().to_string()).unwrap()
}

fn transport() -> ReqwestTransport {
    ReqwestTransport::new(reqwest_builder()).unwrap()
}

/// A server with a clock that it shares with the client.
struct Fixture {
    server: AuthorizationServer,
    clock: ManualClock,
}

impl Fixture {
    async fn new(builder: AuthorizationServerBuilder) -> Self {
        let clock = ManualClock::new();
        let builder = builder.clock(Arc::new(clock.clone()));
        let server = builder.start().await.unwrap();
        Self { server, clock }
    }

    fn endpoint(&self, authentication: ClientAuthentication) -> TokenEndpointBuilder {
        let issuer = self.server.issuer();
        TokenEndpoint::builder(self.server.token_endpoint(), authentication).issuer(issuer)
    }

    fn cache(&self, source: impl TokenSource) -> TokenCache {
        TokenCache::builder(source)
            .clock(self.clock.clone())
            .build()
    }

    /// Requests a token by the JWT bearer grant with the parameters in the assertion.
    async fn granted(&self, assertion: JwtAssertion, request: TokenRequest) -> Result<(), Error> {
        let endpoint = self.endpoint(ClientAuthentication::none());
        let grant = JwtBearer::new(endpoint.build(transport())?, assertion)?;
        let grant = grant.parameters_in_assertion(true).with_defaults(request)?;
        self.cache(grant).token().await.map(drop)
    }

    /// Returns the form of the last token request, without the assertion; header and claims of the assertion, with
    /// the `jti` replaced.
    fn last(&self, parameter: &str) -> [String; 3] {
        let request = self.server.requests().pop().unwrap();
        let form = String::from_utf8(request.body().to_vec()).unwrap();
        let name = format!("{parameter}=");
        let at = form.rfind(&name).unwrap() + name.len();
        let end = form[at..].find('&').map_or(form.len(), |end| at + end);
        let (before, assertion, after) = (&form[..at], &form[at..end], &form[end..]);
        let mut parts = assertion.split('.').map(|part| {
            let decoded = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
            String::from_utf8_lossy(&decoded).into_owned()
        });
        let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
        [format!("{before}…{after}"), header, without_jti(&claims)]
    }
}

/// Replaces the 22 random characters.
fn without_jti(claims: &str) -> String {
    match claims.split_once(r#""jti":""#) {
        Some((before, after)) => format!(r#"{before}"jti":"…{}"#, &after[22..]),
        None => claims.to_owned(),
    }
}

fn scope(scopes: &str) -> TokenRequest {
    TokenRequest::builder().scope(scopes).build().unwrap()
}

/// Expects that the server denies an assertion, and says this.
fn assert_denied(denied: Result<(), Error>, told: &str) {
    let error = denied.unwrap_err();
    let description = error.error_description().unwrap_or_default();
    assert!(description.contains(told), "{description}");
}

/// <https://docs.digdir.no/docs/Maskinporten/maskinporten_protocol_jwtgrant>
#[tokio::test]
async fn maskinporten() {
    let key = rsa().with_key_id("key-1").unwrap();
    let client = "00000000-0000-0000-0000-000000000000";
    let fixture = Fixture::new(provider::maskinporten(client, public(&key))).await;
    let assertion = || {
        let builder = JwtAssertion::builder(key.clone()).issuer(client);
        let builder = builder
            .audience(Audience::Issuer)
            .scope_claim()
            .resource_claim();
        builder.lifetime(Duration::from_secs(120))
    };
    let request = TokenRequest::builder()
        .scope("digdir:dpi difitest:test1")
        .resource("https://api.example.no/")
        .build()
        .unwrap();
    let granted = fixture.granted(assertion().build().unwrap(), request.clone());
    granted.await.unwrap();
    let issuer = fixture.server.issuer();
    assert!(issuer.ends_with('/'));
    assert_eq!(
        fixture.last("assertion"),
        [
            format!("{JWT_BEARER}&assertion=…"),
            r#"{"alg":"RS256","kid":"key-1"}"#.into(),
            format!(
                r#"{{"iss":"{client}","aud":"{issuer}","iat":{NOW},"exp":{},"jti":"…","scope":"difitest:test1 digdir:dpi","resource":["https://api.example.no/"]}}"#,
                NOW + 120
            ),
        ]
    );

    for (builder, told) in [
        (
            assertion().lifetime(Duration::from_secs(121)),
            "exp: expected at most 120 s",
        ),
        (
            assertion().audience(Audience::TokenEndpoint),
            "aud: expected",
        ),
        (assertion().subject("a"), "sub: expected no such claim"),
        (
            assertion().claim("unknown", 1),
            "unknown: expected no such claim",
        ),
        (assertion().jwt_id(false), "jti: expected"),
        (
            JwtAssertion::builder(rsa())
                .issuer(client)
                .audience(Audience::Issuer)
                .scope_claim(),
            "kid or x5c",
        ),
    ] {
        let denied = fixture.granted(builder.build().unwrap(), request.clone());
        assert_denied(denied.await, told);
    }
    let without_scope = fixture.granted(assertion().build().unwrap(), TokenRequest::default());
    assert_denied(without_scope.await, "scope: expected this claim");
    let single = JwtAssertion::builder(key.clone())
        .issuer(client)
        .audience(Audience::Issuer);
    let single = single
        .scope_claim()
        .claim("resource", "https://api.example.no/");
    let denied = fixture.granted(single.build().unwrap(), scope("a"));
    assert_denied(denied.await, "resource: expected a list");
}

/// `Common/JwtTokens` of HelseID.Samples.
#[tokio::test]
async fn helseid() {
    let key = rsa().with_algorithm(Algorithm::Ps256).unwrap();
    let key = key.with_key_id("key-1").unwrap();
    let fixture = Fixture::new(provider::helseid("my-client", public(&key))).await;
    let details = json!([{
        "type": "helseid_authorization",
        "practitioner_role": { "organization": { "identifier": {
            "system": "urn:oid:1.0.6523", "type": "ENH", "value": "NO:ORGNR:999977775",
        } } },
    }]);
    let assertion = || {
        let builder = PrivateKeyJwt::builder(key.clone()).audience(Audience::Issuer);
        let builder = builder.typ("client-authentication+jwt").not_before(true);
        let builder = builder.lifetime(Duration::from_secs(30));
        builder.claim("authorization_details", details.clone())
    };
    let request = async |authentication: ClientAuthentication, client_id_in_form: bool| {
        let endpoint = fixture.endpoint(authentication).client_id("my-client");
        let endpoint = endpoint.client_id_in_form(client_id_in_form);
        let grant = ClientCredentials::new(endpoint.build(transport())?, scope("nhn:api"))?;
        fixture.cache(grant).token().await.map(drop)
    };
    let built = || ClientAuthentication::client_assertion(assertion().build().unwrap());
    request(built(), true).await.unwrap();
    let issuer = fixture.server.issuer();
    assert_eq!(
        fixture.last("client_assertion"),
        [
            format!(
                "grant_type=client_credentials&scope=nhn%3Aapi&client_id=my-client&{CLIENT_ASSERTION}\
                 &client_assertion=…"
            ),
            r#"{"alg":"PS256","typ":"client-authentication+jwt","kid":"key-1"}"#.into(),
            format!(
                r#"{{"iss":"my-client","sub":"my-client","aud":"{issuer}","iat":{NOW},"exp":{},"nbf":{NOW},"jti":"…","authorization_details":{details}}}"#,
                NOW + 30
            ),
        ]
    );

    assert_denied(
        request(built(), false).await,
        "client_id: expected this parameter",
    );
    for (builder, told) in [
        (
            assertion().typ("JWT"),
            "header typ: expected client-authentication+jwt, got JWT",
        ),
        (assertion().not_before(false), "nbf: expected this claim"),
        (
            assertion().audience(Audience::TokenEndpoint),
            "aud: expected",
        ),
    ] {
        let authentication = ClientAuthentication::client_assertion(builder.build().unwrap());
        assert_denied(request(authentication, true).await, told);
    }
}

/// `google/oauth2/service_account.py` of google-auth-library-python.
#[tokio::test]
async fn google() {
    let key = rsa().with_key_id("key-1").unwrap();
    let email = "robot@my-project.iam.gserviceaccount.com";
    let fixture = Fixture::new(provider::google(email, public(&key))).await;
    let assertion = || {
        let builder = JwtAssertion::builder(key.clone())
            .issuer(email)
            .scope_claim();
        builder
            .typ("JWT")
            .lifetime(Duration::from_secs(3600))
            .jwt_id(false)
    };
    let scopes = "https://www.googleapis.com/auth/cloud-platform";
    let granted = fixture.granted(assertion().build().unwrap(), scope(scopes));
    granted.await.unwrap();
    let endpoint = fixture.server.token_endpoint();
    let claims = |subject: &str| {
        format!(
            r#"{{"iss":"{email}",{subject}"aud":"{endpoint}","iat":{NOW},"exp":{},"scope":"{scopes}"}}"#,
            NOW + 3600
        )
    };
    let expected = |subject: &str| {
        [
            format!("{JWT_BEARER}&assertion=…"),
            r#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#.to_owned(),
            claims(subject),
        ]
    };
    assert_eq!(fixture.last("assertion"), expected(""));
    // on behalf of a user
    let delegated = assertion().subject("user@example.com").build().unwrap();
    fixture.granted(delegated, scope(scopes)).await.unwrap();
    assert_eq!(
        fixture.last("assertion"),
        expected(r#""sub":"user@example.com","#)
    );

    let other = assertion().audience(Audience::Issuer).build().unwrap();
    assert_denied(fixture.granted(other, scope(scopes)).await, "aud: expected");
}

/// `src/ApiClient.js` of docusign-esign-node-client.
#[tokio::test]
async fn docusign() {
    let (integration_key, user) = ("integration-key", "user-id");
    let fixture = provider::docusign(integration_key, user, public(&rsa()));
    let fixture = Fixture::new(fixture).await;
    let assertion = || {
        let builder = JwtAssertion::builder(rsa())
            .issuer(integration_key)
            .subject(user);
        let builder = builder.audience(Audience::Text("account-d.docusign.com".into()));
        builder
            .scope_claim()
            .jwt_id(false)
            .lifetime(Duration::from_secs(3600))
    };
    let scopes = "impersonation signature";
    let granted = fixture.granted(assertion().build().unwrap(), scope(scopes));
    granted.await.unwrap();
    assert_eq!(
        fixture.last("assertion"),
        [
            format!("{JWT_BEARER}&assertion=…"),
            r#"{"alg":"RS256"}"#.into(),
            format!(
                r#"{{"iss":"{integration_key}","sub":"{user}","aud":"account-d.docusign.com","iat":{NOW},"exp":{},"scope":"{scopes}"}}"#,
                NOW + 3600
            ),
        ]
    );
    let url = assertion().audience(Audience::Text("https://account-d.docusign.com".into()));
    let denied = fixture.granted(url.build().unwrap(), scope(scopes)).await;
    assert_denied(
        denied,
        "aud: expected account-d.docusign.com, got 'https://account-d.docusign.com'",
    );
    let other = assertion().subject("another-user").build().unwrap();
    assert_denied(
        fixture.granted(other, scope(scopes)).await,
        "sub: expected user-id",
    );
}

/// A projected token as Kubernetes makes it.
fn projected(key: &SigningKey, audience: &str, now: u64) -> String {
    let jwt = Jwt::new()
        .claim("aud", json!([audience]))
        .claim("exp", now + 3607)
        .claim("iat", now)
        .claim("iss", "https://kubernetes.default.svc.cluster.local")
        .random_jti()
        .unwrap()
        .claim("nbf", now)
        .claim("sub", "system:serviceaccount:shop:orders");
    jwt.sign_now(key).unwrap().unwrap().expose().to_owned()
}

fn cluster(key: &SigningKey) -> AssertionVerifier {
    AssertionVerifier::new(public(key))
        .issuer("https://kubernetes.default.svc.cluster.local")
        .subject("system:serviceaccount:shop:orders")
}

#[tokio::test]
async fn keycloak_with_a_token_of_kubernetes() {
    let key = rsa().with_key_id("cluster-1").unwrap();
    let server = provider::keycloak("shop", "orders", cluster(&key));
    let fixture = Fixture::new(server).await;
    let file = TemporaryFile::new("keycloak-token");
    let token = projected(&key, &fixture.server.issuer(), NOW);
    file.replace(&token);
    let request = async |client: Option<&str>| {
        let assertion = AssertionFile::new(file.path())?;
        let endpoint = fixture.endpoint(ClientAuthentication::client_assertion(assertion));
        let endpoint = match client {
            Some(id) => endpoint.client_id(id),
            None => endpoint,
        };
        let grant = ClientCredentials::new(endpoint.build(transport())?, TokenRequest::default())?;
        fixture.cache(grant).token().await.map(drop)
    };
    // the same token, and with and without the client id in the form
    request(Some("orders")).await.unwrap();
    request(None).await.unwrap();
    let form = fixture.server.requests().pop().unwrap().into_body();
    let expected =
        format!("grant_type=client_credentials&{CLIENT_ASSERTION}&client_assertion={token}");
    assert_eq!(form, expected);

    file.replace(&projected(&key, "https://another.example", NOW));
    assert_denied(request(None).await, "aud: expected http://127.0.0.1:");
}

#[tokio::test]
async fn entra_with_a_token_of_kubernetes() {
    let key = rsa().with_key_id("cluster-1").unwrap();
    let server = provider::entra("tenant-id", "application-id", cluster(&key));
    let fixture = Fixture::new(server).await;
    let file = TemporaryFile::new("entra-token");
    file.replace(&projected(&key, "api://AzureADTokenExchange", NOW));
    // the client's clock stands still
    let clock = ManualClock::new();
    let request = async |scopes: TokenRequest| {
        let assertion = AssertionFile::new(file.path())?;
        let endpoint = fixture.endpoint(ClientAuthentication::client_assertion(assertion));
        let endpoint = endpoint.client_id("application-id").client_id_in_form(true);
        let grant = ClientCredentials::new(endpoint.build(transport())?, scopes)?;
        let tokens = TokenCache::builder(grant).clock(clock.clone()).build();
        tokens.token().await.map(drop)
    };
    request(scope("api://orders/.default")).await.unwrap();
    let form = fixture.server.requests().pop().unwrap().into_body();
    let form = String::from_utf8(form.to_vec()).unwrap();
    let (before, _) = form.split_once("&client_assertion=").unwrap();
    assert_eq!(
        before,
        format!(
            "grant_type=client_credentials&scope=api%3A%2F%2Forders%2F.default\
             &client_id=application-id&{CLIENT_ASSERTION}"
        )
    );
    let denied = request(TokenRequest::default()).await;
    assert_denied(denied, "scope: expected this parameter");
    // the clock of the server is ahead
    fixture.clock.advance(Duration::from_secs(3700));
    let expired = request(scope("api://orders/.default")).await;
    assert_denied(expired, "client_assertion: AADSTS700024: exp: expected");
}
