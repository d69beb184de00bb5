//! Each algorithm, verified by another library.

use auth_jose::{Algorithm, Jwt, Signer, SigningKey};
use jsonwebtoken::{DecodingKey, Validation, decode, jwk::Jwk};
use serde_json::{Value, json};

use crate::keys::{self, key};

const SECRET: [u8; 64] = [7; 64];

/// Every algorithm with a key for it.
fn keys() -> [SigningKey; 8] {
    let rsa = SigningKey::from_pem(key!("rsa2048.pem")).unwrap();
    let hmac = |algorithm| SigningKey::hmac(&SECRET, algorithm).unwrap();
    [
        SigningKey::from_jwk(keys::P256).unwrap(),
        SigningKey::from_pem(key!("p384.pem")).unwrap(),
        rsa.clone().with_algorithm(Algorithm::Ps256).unwrap(),
        rsa,
        SigningKey::from_pem(key!("ed25519.pem")).unwrap(),
        hmac(Algorithm::Hs256),
        hmac(Algorithm::Hs384),
        hmac(Algorithm::Hs512),
    ]
}

/// Verifies a JWT by jsonwebtoken and its own implementations of the algorithms, and returns its claims.
fn verified(jwt: &str, key: &SigningKey) -> Value {
    let verifying = match key.public_jwk() {
        Some(public) => {
            let public: Jwk = serde_json::from_str(&public.to_string()).unwrap();
            DecodingKey::from_jwk(&public).unwrap()
        }
        None => DecodingKey::from_secret(&SECRET),
    };
    let algorithm: jsonwebtoken::Algorithm = key.algorithm().as_str().parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_aud = false;
    decode::<Value>(jwt, &verifying, &validation)
        .unwrap()
        .claims
}

#[tokio::test]
async fn another_library_verifies_each_algorithm() {
    for key in keys() {
        let jwt = Jwt::new().claim("iss", "my-client").claim("n", 7);
        let expected = json!({"iss": "my-client", "n": 7});
        let at_once = jwt.sign_now(&key).unwrap().unwrap();
        assert_eq!(verified(at_once.expose(), &key), expected, "{key:?}");
        let signed = jwt.sign(&key).await.unwrap();
        assert_eq!(verified(signed.expose(), &key), expected, "{key:?}");
        let signed = Jwt::new().claim("iss", "other").sign(&key).await.unwrap();
        let (head, _) = at_once.expose().rsplit_once('.').unwrap();
        let (_, signature) = signed.expose().rsplit_once('.').unwrap();
        let forged = format!("{head}.{signature}");
        let is_verified = std::panic::catch_unwind(|| verified(&forged, &key)).is_ok();
        assert!(!is_verified, "{key:?}");
    }
}

#[test]
fn a_generated_key_signs() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let signed = Jwt::new().sign_now(&key).unwrap().unwrap();
        assert_eq!(verified(signed.expose(), &key), json!({}));
        let other = SigningKey::generate(algorithm).unwrap();
        assert_ne!(key.public_jwk(), other.public_jwk());
    }
}

#[test]
fn header_and_claims_are_in_order() {
    let key = SigningKey::from_jwk(keys::P256).unwrap();
    let key = key.with_key_id("k\"1").unwrap();
    let jwt = Jwt::new()
        .claim("sub", "a")
        .claim("iss", "b")
        .claim("sub", json!(["c", {"d": null}]))
        .typ("client-authentication+jwt")
        .public_key();
    let signed = jwt.sign_now(&key).unwrap().unwrap();
    let parts: Vec<_> = signed.expose().split('.').map(decoded).collect();
    let public_jwk = key.public_jwk().unwrap();
    assert!(!public_jwk.to_string().contains("\"d\""));
    assert_eq!(
        parts[0],
        format!(
            r#"{{"alg":"ES256","typ":"client-authentication+jwt","kid":"k\"1","jwk":{public_jwk}}}"#
        )
    );
    assert_eq!(parts[1], r#"{"sub":["c",{"d":null}],"iss":"b"}"#);
}

/// Returns the text of a part of a JWT; a signature is no text.
fn decoded(part: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(part).unwrap()).into_owned()
}

#[test]
fn each_jti_is_another_one() {
    let key = SigningKey::from_jwk(keys::P256).unwrap();
    let jti = || {
        let jwt = Jwt::new().random_jti().unwrap();
        let signed = jwt.sign_now(&key).unwrap().unwrap();
        let claims = decoded(signed.expose().split('.').nth(1).unwrap());
        let claims: Value = serde_json::from_str(&claims).unwrap();
        claims["jti"].as_str().unwrap().to_owned()
    };
    assert_eq!(jti().len(), 22);
    assert_ne!(jti(), jti());
}

#[test]
fn a_public_key_in_the_header_needs_an_asymmetric_key() {
    let key = SigningKey::hmac(&SECRET, Algorithm::Hs256).unwrap();
    let error = Jwt::new().public_key().sign_now(&key).unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "JWT: expected a signer with a public key for the header jwk"
    );
}
