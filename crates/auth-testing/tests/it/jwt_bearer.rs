//! Grants by signed tokens: the JWT bearer grant (RFC 7523 §2.1), and the exchange of tokens of other issuers (RFC
//! 8693).

use auth_jose::{Algorithm, Jwt, SigningKey};
use auth_testing::{AssertionVerifier, AuthorizationServer, ClientAuthenticationMethod};
use http::StatusCode;
use serde_json::Value;

use crate::{
    client::{http1, send, token_request},
    client_assertions::public,
};

const JWT_BEARER: &str = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// 2100-01-01, with verifiers that permit a long lifetime: these servers run by the system's clock.
const LATER: u64 = 4_102_444_800;

fn verifier(key: &SigningKey, issuer: &str) -> AssertionVerifier {
    let verifier = AssertionVerifier::new(public(key)).issuer(issuer);
    verifier.max_lifetime(std::time::Duration::from_secs(LATER))
}

fn jwt(server: &AuthorizationServer, issuer: &str) -> Jwt {
    let jwt = Jwt::new()
        .claim("iss", issuer)
        .claim("aud", server.token_endpoint());
    jwt.claim("exp", LATER).random_jti().unwrap()
}

fn signed(jwt: &Jwt, key: &SigningKey) -> String {
    jwt.sign_now(key).unwrap().unwrap().expose().to_owned()
}

async fn request(server: &AuthorizationServer, form: &str) -> (StatusCode, Value) {
    let form = token_request(server.token_endpoint(), form);
    let response = send(&http1(), form).await.unwrap();
    let json = serde_json::from_slice(response.body()).unwrap();
    (response.status(), json)
}

#[tokio::test]
async fn an_assertion_is_granted_a_token_without_client_authentication() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let server = AuthorizationServer::builder()
        .assertion_issuer(verifier(&key, "in-form"))
        .assertion_issuer(verifier(&key, "in-assertion").scope_claim(true))
        .scopes("a b c")
        .start()
        .await
        .unwrap();
    for (issuer, scope) in [("in-form", "a"), ("in-assertion", "b c")] {
        let jwt = jwt(&server, issuer).claim("scope", "b c");
        let form = format!("{JWT_BEARER}&assertion={}&scope=a", signed(&jwt, &key));
        let (status, json) = request(&server, &form).await;
        assert_eq!(
            (status, &json["scope"]),
            (StatusCode::OK, &scope.into()),
            "{json}"
        );
        let (_, again) = request(&server, &form).await;
        assert_eq!(again["error"], "invalid_grant");
    }
    let jwt = jwt(&server, "in-assertion").claim("scope", "d");
    let form = format!("{JWT_BEARER}&assertion={}", signed(&jwt, &key));
    assert_eq!(request(&server, &form).await.1["error"], "invalid_scope");
}

#[tokio::test]
async fn a_denied_assertion_is_an_invalid_grant_with_a_reason() {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let trusted = verifier(&key, "robot").subject("user");
    let server = AuthorizationServer::builder().assertion_issuer(trusted);
    let server = server.start().await.unwrap();
    let valid = || jwt(&server, "robot").claim("sub", "user");
    for (assertion, told) in [
        (
            signed(&valid().claim("iss", "other"), &key),
            "iss: expected a registered issuer, got other",
        ),
        (
            signed(&valid().claim("sub", "x"), &key),
            "sub: expected user, got 'x'",
        ),
        (
            signed(&valid().claim("exp", 7), &key),
            "exp: expected a time in the future, got one ",
        ),
        (
            signed(&valid(), &other),
            "signature: expected one that the registered key verifies",
        ),
    ] {
        let form = format!("{JWT_BEARER}&assertion={assertion}");
        let (status, json) = request(&server, &form).await;
        assert_eq!(
            (status, &json["error"]),
            (StatusCode::BAD_REQUEST, &"invalid_grant".into())
        );
        let description = json["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("assertion: {told}")),
            "{description}"
        );
    }
    let (_, json) = request(&server, JWT_BEARER).await;
    assert_eq!(json["error"], "invalid_request");
    let (status, _) = request(&server, "grant_type=client_credentials").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_exchanged() {
    let key = SigningKey::generate(Algorithm::Es384).unwrap();
    let server = AuthorizationServer::builder()
        .subject_issuer(verifier(&key, "https://k8s.example").reusable(true))
        .accept([ClientAuthenticationMethod::Anonymous])
        .start()
        .await
        .unwrap();
    let subject = jwt(&server, "https://k8s.example");
    let form = |jwt: &Jwt, kind: &str| {
        let token = signed(jwt, &key);
        format!("{EXCHANGE}&subject_token={token}&subject_token_type={kind}&scope=a")
    };
    for _ in 0..2 {
        let (status, json) = request(&server, &form(&subject, JWT_TYPE)).await;
        assert_eq!(
            (status, &json["scope"]),
            (StatusCode::OK, &"a".into()),
            "{json}"
        );
    }
    for (form, told) in [
        (
            form(&jwt(&server, "other"), JWT_TYPE),
            "subject_token: iss: expected a trusted issuer",
        ),
        (
            form(&subject, "saml"),
            "subject_token_type: expected one of",
        ),
        (
            form(&subject.clone().claim("aud", "x"), JWT_TYPE),
            "subject_token: aud: expected",
        ),
    ] {
        let (_, json) = request(&server, &form).await;
        assert_eq!(json["error"], "invalid_request");
        assert!(
            json["error_description"]
                .as_str()
                .unwrap()
                .starts_with(told),
            "{json}"
        );
    }
    let (status, _) = request(
        &server,
        &format!("{}&client_id=a", form(&subject, JWT_TYPE)),
    )
    .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
