//! The assertions that the providers expect.

use std::time::Duration;

use auth_jose::{
    Algorithm, AssertionBuilder, Audience, ClientSecretJwt, JwtAssertion, KeySource, PrivateKeyJwt,
    SigningKey,
    auth_core::{Assertion, AssertionContext, AssertionSource, ClientSecret, Error, TokenRequest},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::keys::{self, key};

const ENDPOINT: &str = "https://as.example/token";
const NOW: u64 = 1_700_000_000;

fn context() -> AssertionContext {
    AssertionContext::new(ENDPOINT)
        .with_client_id("my-client")
        .with_time(Duration::from_millis(NOW * 1000 + 999))
}

/// Returns header and claims as they were written, with `…` as `jti`, which is checked.
fn parts(assertion: &Assertion) -> (String, String) {
    let mut parts = assertion.expose().split('.');
    let mut decoded = || {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        String::from_utf8(part).unwrap()
    };
    let (header, claims) = (decoded(), decoded());
    let parsed: Value = serde_json::from_str(&claims).unwrap();
    let Some(jti) = parsed.get("jti").and_then(Value::as_str) else {
        return (header, claims);
    };
    assert_eq!(URL_SAFE_NO_PAD.decode(jti).unwrap().len(), 16);
    (header, claims.replace(jti, "…"))
}

async fn made(
    source: Result<impl AssertionSource, Error>,
    context: &AssertionContext,
) -> (String, String) {
    parts(&source.unwrap().assertion(context).await.unwrap())
}

fn p256() -> SigningKey {
    SigningKey::from_jwk(keys::P256)
        .unwrap()
        .with_key_id("key-1")
        .unwrap()
}

fn rsa() -> SigningKey {
    SigningKey::from_pem(key!("rsa2048.pem")).unwrap()
}

#[tokio::test]
async fn rfc7523_3_an_assertion_has_the_required_claims_and_no_others() {
    let (header, claims) = made(PrivateKeyJwt::new(p256()), &context()).await;
    assert_eq!(header, r#"{"alg":"ES256","kid":"key-1"}"#);
    assert_eq!(
        claims,
        r#"{"iss":"my-client","sub":"my-client","aud":"https://as.example/token","iat":1700000000,"exp":1700000060,"jti":"…"}"#
    );
}

#[tokio::test]
async fn each_assertion_has_another_jti_and_another_signature() {
    let source = PrivateKeyJwt::new(p256()).unwrap();
    let one = source.assertion(&context()).await.unwrap();
    let other = source.assertion(&context()).await.unwrap();
    let payload = |assertion: &Assertion| assertion.expose().split('.').nth(1).unwrap().to_owned();
    assert_ne!(payload(&one), payload(&other));
    assert_eq!(parts(&one), parts(&other));
}

#[tokio::test]
async fn helseid() {
    let source = PrivateKeyJwt::builder(p256())
        .audience(Audience::Issuer)
        .typ("client-authentication+jwt")
        .lifetime(Duration::from_secs(10))
        .not_before(true)
        .claim(
            "authorization_details",
            json!([{"type": "helseid_authorization"}]),
        )
        .build();
    let context = context().with_issuer("https://helseid-sts.nhn.no");
    let (header, claims) = made(source, &context).await;
    assert_eq!(
        header,
        r#"{"alg":"ES256","typ":"client-authentication+jwt","kid":"key-1"}"#
    );
    assert_eq!(
        claims,
        r#"{"iss":"my-client","sub":"my-client","aud":"https://helseid-sts.nhn.no","iat":1700000000,"exp":1700000010,"nbf":1700000000,"jti":"…","authorization_details":[{"type":"helseid_authorization"}]}"#
    );
}

#[tokio::test]
async fn entra() {
    let key = rsa().with_algorithm(Algorithm::Ps256).unwrap();
    let key = key
        .with_certificate_pem(key!("rsa2048-certificate.pem"))
        .unwrap();
    let source = PrivateKeyJwt::builder(key)
        .typ("JWT")
        .certificate_chain(true)
        .build();
    let (header, _) = made(source, &context()).await;
    let header: Value = serde_json::from_str(&header).unwrap();
    let members: Vec<_> = header.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "typ", "x5c", "x5t#S256"]);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("PS256"), &json!("JWT"))
    );
}

#[tokio::test]
async fn maskinporten() {
    let source = JwtAssertion::builder(rsa().with_key_id("key-1").unwrap())
        .audience(Audience::Text("https://maskinporten.no/".into()))
        .scope_claim()
        .resource_claim()
        .claim_fn("consumer_org", |context| {
            let mut parameters = context.request().parameters();
            let found = parameters.find(|(name, _)| *name == "consumer_org")?;
            Some(found.1.into())
        })
        .build();
    let request = TokenRequest::builder()
        .scope("difi:orders")
        .resource("https://api.example/")
        .parameter("consumer_org", "889640782")
        .build()
        .unwrap();
    let full = context().with_request(request);
    let (header, claims) = made(source.clone(), &full).await;
    assert_eq!(header, r#"{"alg":"RS256","kid":"key-1"}"#);
    assert_eq!(
        claims,
        r#"{"iss":"my-client","aud":"https://maskinporten.no/","iat":1700000000,"exp":1700000060,"jti":"…","scope":"difi:orders","resource":["https://api.example/"],"consumer_org":"889640782"}"#
    );
    // what the request does not have is left out
    let (_, claims) = made(source, &context()).await;
    assert_eq!(
        claims,
        r#"{"iss":"my-client","aud":"https://maskinporten.no/","iat":1700000000,"exp":1700000060,"jti":"…"}"#
    );
}

#[tokio::test]
async fn google() {
    let source = JwtAssertion::builder(rsa().with_key_id("key-1").unwrap())
        .issuer("service@example.iam.gserviceaccount.com")
        .scope_claim()
        .typ("JWT")
        .lifetime(Duration::from_secs(3600))
        .build();
    let request = TokenRequest::builder().scope("b a").build().unwrap();
    // a service account has no client id
    let context = AssertionContext::new("https://oauth2.googleapis.com/token")
        .with_time(Duration::from_secs(NOW))
        .with_request(request);
    let (header, claims) = made(source, &context).await;
    assert_eq!(header, r#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#);
    let scopes = context.request().scopes();
    assert_eq!(
        claims,
        format!(
            r#"{{"iss":"service@example.iam.gserviceaccount.com","aud":"https://oauth2.googleapis.com/token","iat":1700000000,"exp":1700003600,"jti":"…","scope":"{scopes}"}}"#
        )
    );
}

#[tokio::test]
async fn docusign_and_zitadel() {
    let docusign = JwtAssertion::builder(rsa())
        .subject("user")
        .audience(Audience::Text("account.docusign.com".into()))
        .jwt_id(false)
        .claim("scope", "signature impersonation")
        .build();
    let (header, claims) = made(docusign, &context()).await;
    assert_eq!(header, r#"{"alg":"RS256"}"#);
    assert_eq!(
        claims,
        r#"{"iss":"my-client","sub":"user","aud":"account.docusign.com","iat":1700000000,"exp":1700000060,"scope":"signature impersonation"}"#
    );
    let zitadel = JwtAssertion::builder(rsa())
        .issuer("user")
        .subject("user")
        .audience(Audience::Text("https://zitadel.example".into()))
        .build();
    let (_, claims) = made(
        zitadel,
        &AssertionContext::new(ENDPOINT).with_time(Duration::ZERO),
    )
    .await;
    assert_eq!(
        claims,
        r#"{"iss":"user","sub":"user","aud":"https://zitadel.example","iat":0,"exp":60,"jti":"…"}"#
    );
}

/// OpenID Connect Core §9: the octets of the UTF-8 of the secret.
#[tokio::test]
async fn client_secret_jwt_signs_with_the_octets_of_the_secret() {
    let secret = "kort-hémmelighet";
    let source = ClientSecretJwt::new(secret, Algorithm::Hs384).unwrap();
    let assertion = source.assertion(&context()).await.unwrap();
    let (header, claims) = parts(&assertion);
    assert_eq!(header, r#"{"alg":"HS384"}"#);
    assert!(claims.starts_with(r#"{"iss":"my-client","sub":"my-client","aud":"#));
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS384);
    validation.validate_aud = false;
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::decode::<Value>(assertion.expose(), &key, &validation).unwrap();
}

#[tokio::test]
async fn a_rotated_secret_is_used_at_the_next_attempt() {
    let file = temporary("secret");
    std::fs::write(&file, "first").unwrap();
    let secret = ClientSecret::from_file(&file).unwrap();
    let source = ClientSecretJwt::new(secret, Algorithm::Hs256).unwrap();
    let first = source.assertion(&context()).await.unwrap();
    assert_eq!(source.version().await, first.version());
    std::fs::write(&file, "second").unwrap();
    assert_ne!(source.version().await, first.version());
    let second = source.assertion(&context()).await.unwrap();
    assert_ne!(second.version(), first.version());
    std::fs::remove_file(&file).unwrap();
    let error = source.assertion(&context()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

fn temporary(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("auth-jose-{name}-{}", std::process::id()))
}

fn refused<T: std::fmt::Debug>(built: Result<T, Error>) -> String {
    built.unwrap_err().to_string()
}

#[test]
fn settings_that_cannot_work_are_errors_at_construction() {
    let build = |change: fn(AssertionBuilder<PrivateKeyJwt>) -> AssertionBuilder<PrivateKeyJwt>| {
        refused(change(PrivateKeyJwt::builder(p256())).build())
    };
    for (told, expected) in [
        (
            build(|b| b.lifetime(Duration::from_millis(999))),
            "private_key_jwt: expected a lifetime of 1 s to 1 h, got 999ms",
        ),
        (
            build(|b| b.lifetime(Duration::from_secs(3601))),
            "private_key_jwt: expected a lifetime of 1 s to 1 h, got 3601s",
        ),
        (
            build(|b| b.issuer("")),
            "private_key_jwt: expected a text as claim \"iss\", got an empty one",
        ),
        (
            build(|b| b.subject("")),
            "private_key_jwt: expected a text as claim \"sub\", got an empty one",
        ),
        (
            build(|b| b.audience(Audience::Text(String::new()))),
            "private_key_jwt: expected an audience, got an empty text",
        ),
        (
            build(|b| b.claim("", 1)),
            "private_key_jwt: expected the name of a claim, got an empty text",
        ),
        (
            build(|b| b.claim("exp", 1)),
            "private_key_jwt: claim \"exp\" has a setting of its own; use lifetime()",
        ),
        (
            build(|b| b.scope_claim().claim("scope", "a")),
            "private_key_jwt: expected each claim once, got \"scope\" twice",
        ),
        (
            build(|b| b.typ("")),
            "private_key_jwt: expected a text as header \"typ\", got an empty one",
        ),
        (
            build(|b| b.certificate_chain(true)),
            "private_key_jwt: expected a key with certificates for the header x5c, got one without",
        ),
        (
            refused(PrivateKeyJwt::new(
                SigningKey::hmac(&[7; 32], Algorithm::Hs256).unwrap(),
            )),
            "private_key_jwt: expected an asymmetric key, got one of HS256; use ClientSecretJwt",
        ),
        (
            refused(ClientSecretJwt::new("s3cr3t", Algorithm::Es256)),
            "client_secret_jwt: expected HS256, HS384 or HS512, got ES256",
        ),
        (
            refused(ClientSecretJwt::new("", Algorithm::Hs256)),
            "client secret: expected a secret, got an empty text",
        ),
        (
            refused(ClientSecretJwt::new("s3cr3t\n", Algorithm::Hs256)),
            "client secret of client_secret_jwt: expected visible characters, got a line break (U+000A) as \
             character 7 (counted from 1); remove it",
        ),
        (
            refused(
                ClientSecretJwt::builder("s3cr3t", Algorithm::Hs256)
                    .certificate_chain(true)
                    .build(),
            ),
            "client_secret_jwt: a client secret has no certificates for the header x5c",
        ),
    ] {
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn what_the_context_lacks_is_an_error_of_the_token_request() {
    let error = |source: PrivateKeyJwt, context: AssertionContext| async move {
        source.assertion(&context).await.unwrap_err().to_string()
    };
    let source = PrivateKeyJwt::new(p256()).unwrap();
    assert_eq!(
        error(source, AssertionContext::new(ENDPOINT)).await,
        "assertion: expected a client id for the claim \"iss\", got none; set it with client_id() of the \
         token endpoint, or the claim with issuer()"
    );
    let source = PrivateKeyJwt::builder(p256()).audience(Audience::Issuer);
    assert_eq!(
        error(source.build().unwrap(), context()).await,
        "audience: expected the issuer, but the token endpoint has none; set it with issuer() of the \
         token endpoint, or use Audience::Text"
    );
}

#[test]
fn debug_shows_neither_keys_nor_the_values_of_claims() {
    let source = PrivateKeyJwt::builder(p256()).claim("pid", "12345678901");
    let secret = ClientSecretJwt::new("s3cr3t-s3cr3t", Algorithm::Hs256).unwrap();
    let shown = format!("{source:?} {:?} {secret:?}", KeySource::from(p256()));
    assert!(shown.contains("pid") && shown.contains("key-1"), "{shown}");
    for hidden in ["12345678901", "s3cr3t", "jpsQ"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

/// An assertion is signed by one secret. The current one would not be tried after a denial.
#[test]
fn two_secrets_in_rotation_are_an_error_of_client_secret_jwt() {
    let secret = ClientSecret::rotating("n3xt-s3cr3t", "curr3nt-s3cr3t");
    let error = ClientSecretJwt::new(secret, Algorithm::Hs256).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("client_secret_jwt: expected one secret, got two"),
        "{text}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}
