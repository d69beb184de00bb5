//! Clients that authenticate by assertions: RFC 7523 §2.2 and §3.

use std::{sync::Arc, time::Duration};

use auth_jose::{Algorithm, Jwt, Signer, SigningKey};
use auth_testing::{
    AcceptedAudience, AssertionVerifier, AuthorizationServer, ManualClock, VerificationKey,
    auth_core::time::Clock,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::client::{http1, send, token_request};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_jwk(&key.public_jwk().unwrap().to_string()).unwrap()
}

/// A server, and the clock that it shares with its client.
struct Fixture {
    server: AuthorizationServer,
    clock: ManualClock,
    key: SigningKey,
}

impl Fixture {
    async fn new(configure: impl FnOnce(AssertionVerifier) -> AssertionVerifier) -> Self {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let clock = ManualClock::new();
        let server = AuthorizationServer::builder()
            .client_with_assertion("client", configure(AssertionVerifier::new(public(&key))))
            .clock(Arc::new(clock.clone()))
            .start()
            .await
            .unwrap();
        Self { server, clock, key }
    }

    fn now(&self) -> u64 {
        self.clock.now().wall.as_secs()
    }

    /// An assertion that the server accepts.
    fn claims(&self) -> Jwt {
        let now = self.now();
        let jwt = Jwt::new().claim("iss", "client").claim("sub", "client");
        let jwt = jwt.claim("aud", self.server.token_endpoint());
        let jwt = jwt.claim("iat", now).claim("exp", now + 60);
        jwt.random_jti().unwrap()
    }

    async fn send(&self, more: &str) -> (StatusCode, Value) {
        let form = format!("grant_type=client_credentials{more}");
        let request = token_request(self.server.token_endpoint(), &form);
        let response = send(&http1(), request).await.unwrap();
        let json = serde_json::from_slice(response.body()).unwrap();
        (response.status(), json)
    }

    async fn present(&self, assertion: &str) -> (StatusCode, Value) {
        let more = format!("&client_assertion_type={TYPE}&client_assertion={assertion}");
        self.send(&more).await
    }

    /// Signs an assertion, and returns the description of its denial, or an empty text.
    async fn denied(&self, jwt: &Jwt) -> String {
        let signed = jwt.sign_now(&self.key).unwrap().unwrap();
        described(self.present(signed.expose()).await)
    }
}

/// Returns the description of a denial, or an empty text.
fn described((status, json): (StatusCode, Value)) -> String {
    if status == StatusCode::OK {
        return String::new();
    }
    assert_eq!(
        (status, &json["error"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
    );
    json["error_description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_assertion_authenticates_its_client_once() {
    let fixture = Fixture::new(|verifier| verifier).await;
    let jwt = fixture.claims();
    assert_eq!(fixture.denied(&jwt).await, "");
    assert_eq!(
        fixture.denied(&jwt).await,
        "client_assertion: jti: expected one that was not used before, got one for the second time"
    );
    assert_eq!(fixture.server.tokens_issued(), 1);
}

#[tokio::test]
async fn rfc7523_3_a_denial_says_which_part_was_expected_to_be_what() {
    let fixture = Fixture::new(|verifier| verifier).await;
    let (issuer, endpoint) = (fixture.server.issuer(), fixture.server.token_endpoint());
    let valid = || fixture.claims();
    let now = fixture.now();
    let aud = format!("aud: expected {issuer} or {endpoint}, got");
    for (jwt, told) in [
        (valid().claim("iss", "other"), "iss: expected the id of a client with assertions, or the issuer that one trusts, got other".into()),
        (valid().claim("sub", "other"), "sub: expected client, got 'other'".into()),
        (valid().claim("aud", "https://as.example"), format!("{aud} 'https://as.example'")),
        (valid().claim("aud", json!(["a", 1])), format!("{aud} ['a',1]")),
        (valid().claim("aud", Value::Null), format!("{aud} null")),
        (valid().claim("exp", now), "exp: expected a time in the future, got one 0 s ago".into()),
        (valid().claim("exp", now - 5), "exp: expected a time in the future, got one 5 s ago".into()),
        (valid().claim("exp", "soon"), "exp: expected a number of seconds, got 'soon'".into()),
        (valid().claim("exp", now + 301), "exp: expected at most 300 s from now, and from iat, got 301 s".into()),
        (valid().claim("iat", now + 11), "iat: expected at most 10 s in the future, got 11 s".into()),
        (valid().claim("nbf", now + 11), "nbf: expected at most 10 s in the future, got 11 s".into()),
        (valid().claim("iat", now - 250).claim("exp", now + 60), "exp: expected at most 300 s from now, and from iat, got 310 s".into()),
        (valid().claim("jti", 7), "jti: expected a text, got 7".into()),
    ] {
        let told = format!("client_assertion: {told}");
        assert_eq!(fixture.denied(&jwt).await, told);
    }
    assert_eq!(fixture.server.tokens_issued(), 0);
    for accepted in [
        valid().claim("aud", issuer.as_str()),
        valid().claim("aud", json!(["a", endpoint])),
        valid().claim("iat", now + 10).claim("exp", now + 310),
        valid().claim("exp", now + 300),
        valid().claim("unknown", 1).typ("JWT"),
    ] {
        assert_eq!(fixture.denied(&accepted).await, "");
    }
}

#[tokio::test]
async fn an_assertion_that_the_registered_key_does_not_verify_is_denied() {
    let fixture = Fixture::new(|verifier| verifier).await;
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let ed = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let hmac = SigningKey::hmac(&[7; 32], Algorithm::Hs256).unwrap();
    let sign = |key: &SigningKey| fixture.claims().sign_now(key).unwrap().unwrap();
    let signature = "client_assertion: signature: expected";
    for (jwt, told) in [
        (sign(&other).expose().to_owned(), format!("{signature} one that the registered key verifies, got another one by ES256")),
        (sign(&ed).expose().to_owned(), format!("{signature} a registered key, got one of EdDSA")),
        (sign(&hmac).expose().to_owned(), format!("{signature} a registered key, got one of HS256")),
        ("junk".into(), "client_assertion: expected a JWT of three parts between dots (RFC 7515 section 3.1), got 1".into()),
        ("a.b.c".into(), "client_assertion: expected a JSON object as claims, got something else".into()),
        // {"alg":"none"}
        (format!("eyJhbGciOiJub25lIn0.{}.", sign(&ed).expose().split('.').nth(1).unwrap()), "client_assertion: header: expected alg RS256 to RS512, PS256 to PS512, ES256, ES384, EdDSA or HS256 to HS512, got another header".into()),
    ] {
        assert_eq!(described(fixture.present(&jwt).await), told);
    }
    // the claims of one assertion with the signature of another
    let (first, second) = (sign(&fixture.key), sign(&fixture.key));
    let (message, _) = first.expose().rsplit_once('.').unwrap();
    let (_, signature) = second.expose().rsplit_once('.').unwrap();
    let forged = format!("{message}.{signature}");
    assert!(described(fixture.present(&forged).await).contains("signature"));
    assert_eq!(described(fixture.present(first.expose()).await), "");
}

#[tokio::test]
async fn a_server_demands_what_it_is_configured_to() {
    let fixture = Fixture::new(|verifier| {
        let verifier = verifier.audience(AcceptedAudience::Text("as.example".into()));
        let verifier = verifier
            .max_lifetime(Duration::from_secs(120))
            .typ("client-authentication+jwt");
        verifier
            .require_header(["kid", "x5c"])
            .require_claims(["iat"])
            .only_claims(["sub", "scope"])
    })
    .await;
    let valid = || {
        fixture
            .claims()
            .claim("aud", "as.example")
            .typ("client-authentication+jwt")
    };
    let named = fixture.key.clone().with_key_id("key-1").unwrap();
    let described_by = async |jwt: &Jwt, key: &SigningKey| {
        let signed = jwt.sign_now(key).unwrap().unwrap();
        described(fixture.present(signed.expose()).await)
    };
    for (jwt, key, told) in [
        (
            valid(),
            &fixture.key,
            "header: expected kid or x5c, got none",
        ),
        (
            valid().typ("JWT"),
            &named,
            "header typ: expected client-authentication+jwt, got JWT",
        ),
        (
            valid().claim("foo", 1),
            &named,
            "foo: expected no such claim",
        ),
        (
            valid().claim("exp", fixture.now() + 121),
            &named,
            "exp: expected at most 120 s from now, and from iat, got 121 s",
        ),
        (
            valid().claim("aud", "as.example/"),
            &named,
            "aud: expected as.example, got 'as.example/'",
        ),
    ] {
        let told = format!("client_assertion: {told}");
        assert_eq!(described_by(&jwt, key).await, told);
    }
    let now = fixture.now();
    let without_iat = Jwt::new()
        .typ("client-authentication+jwt")
        .claim("iss", "client");
    let without_iat = without_iat
        .claim("sub", "client")
        .claim("aud", "as.example");
    let without_iat = without_iat.claim("exp", now + 60).claim("jti", "1");
    assert_eq!(
        described_by(&without_iat, &named).await,
        "client_assertion: iat: expected this claim, got none"
    );
    assert_eq!(described_by(&valid().claim("scope", "a"), &named).await, "");
}

#[tokio::test]
async fn only_permitted_algorithms_and_the_key_with_the_id_verify() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let next = SigningKey::generate(Algorithm::Es256).unwrap();
    let fixture = Fixture::new(|_| {
        AssertionVerifier::new(public(&key).with_key_id("1")).key(public(&next).with_key_id("2"))
    })
    .await;
    let present = async |key: &SigningKey| {
        let signed = fixture.claims().sign_now(key).unwrap().unwrap();
        described(fixture.present(signed.expose()).await)
    };
    for (key, id) in [(&key, "1"), (&next, "2")] {
        assert_eq!(present(key).await, "");
        assert_eq!(present(&key.clone().with_key_id(id).unwrap()).await, "");
        let told = present(&key.clone().with_key_id("3").unwrap()).await;
        assert_eq!(
            told,
            "client_assertion: signature: expected a registered key, got one of ES256 and kid 3"
        );
    }
    let fixture = Fixture::new(|verifier| verifier.algorithms(["PS256", "EdDSA"])).await;
    assert_eq!(
        fixture.denied(&fixture.claims()).await,
        "client_assertion: header alg: expected one of PS256, EdDSA, got ES256"
    );
}

#[tokio::test]
async fn a_client_secret_verifies_by_hmac() {
    let secret = "a-long-enough-shared-secret-for-hs256";
    let fixture =
        Fixture::new(|_| AssertionVerifier::new(VerificationKey::from_secret(secret))).await;
    for (secret, algorithm, accepted) in [
        (secret, Algorithm::Hs256, true),
        (secret, Algorithm::Hs512, false),
        (
            "another-long-enough-shared-secret-1234",
            Algorithm::Hs256,
            false,
        ),
    ] {
        let Ok(key) = SigningKey::hmac(secret.as_bytes(), algorithm) else {
            continue; // the secret is too short for the algorithm
        };
        let signed = fixture.claims().sign_now(&key).unwrap().unwrap();
        let told = described(fixture.present(signed.expose()).await);
        assert_eq!(told.is_empty(), accepted, "{told}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_an_assertion_is_the_only_method_of_its_request() {
    let fixture = Fixture::new(|verifier| verifier).await;
    let signed = || fixture.claims().sign_now(&fixture.key).unwrap().unwrap();
    let assertion = |kind: &str| format!("{kind}&client_assertion={}", signed().expose());
    let typed = format!("&client_assertion_type={TYPE}");
    let (status, json) = fixture
        .send(&format!("{}&client_secret=a", assertion(&typed)))
        .await;
    assert_eq!(
        (status, &json["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_request"))
    );
    for (form, told) in [
        (
            assertion(""),
            format!("client_assertion_type: expected {TYPE}, got none"),
        ),
        (
            assertion("&client_assertion_type=saml"),
            format!("client_assertion_type: expected {TYPE}, got saml"),
        ),
        (
            assertion(&format!("{typed}&client_id=other")),
            "client_assertion: expected the client_id of a client with assertions, got other"
                .into(),
        ),
        (
            "&client_id=client".into(),
            "expected an Authorization header, client_secret or client_assertion, got none of them"
                .into(),
        ),
        (
            "&client_id=client&client_secret=".into(),
            "expected an Authorization header, client_secret or client_assertion, got none of them"
                .into(),
        ),
    ] {
        assert_eq!(described(fixture.send(&form).await), told);
    }
    let with_id = assertion(&format!("{typed}&client_id=client"));
    assert_eq!(described(fixture.send(&with_id).await), "");
}

#[tokio::test]
async fn a_token_of_another_issuer_authenticates_a_client_until_it_expires() {
    let fixture = Fixture::new(|verifier| {
        let verifier = verifier
            .issuer("https://k8s.example")
            .subject("system:serviceaccount:a:b");
        verifier
            .max_lifetime(Duration::from_secs(3600))
            .reusable(true)
    })
    .await;
    let jwt = fixture.claims().claim("iss", "https://k8s.example");
    let jwt = jwt.claim("exp", fixture.now() + 3600);
    let other = jwt.clone().claim("sub", "system:serviceaccount:a:c");
    let jwt = jwt.claim("sub", "system:serviceaccount:a:b");
    for _ in 0..2 {
        assert_eq!(fixture.denied(&jwt).await, "");
    }
    assert_eq!(
        fixture.denied(&other).await,
        "client_assertion: sub: expected system:serviceaccount:a:b, got 'system:serviceaccount:a:c'"
    );
    fixture.clock.advance(Duration::from_secs(3600));
    assert!(fixture.denied(&jwt).await.contains("exp"));
}

#[test]
fn what_is_no_key_is_an_error_that_does_not_show_it() {
    for text in [
        "",
        "s3cr3t",
        "{}",
        r#"{"kty":"EC","crv":"P-521","x":"s3cr3t","y":"AA"}"#,
    ] {
        let error = VerificationKey::from_jwk(text).unwrap_err().to_string();
        assert!(error.starts_with("public JWK: expected"), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    let error = VerificationKey::from_pem("s3cr3t").unwrap_err().to_string();
    assert!(error.starts_with("public key: expected PEM"), "{error}");
    let key = VerificationKey::from_secret("s3cr3t");
    let verifier = AssertionVerifier::new(key.clone());
    let builder = AuthorizationServer::builder().client_with_assertion("a", verifier.clone());
    assert!(!format!("{key:?} {verifier:?} {builder:?}").contains("s3cr3t"));
}
