//! Proofs of DPoP (RFC 9449), verified by another library.

use std::{collections::HashSet, sync::Arc, time::Duration};

use auth_jose::{
    Algorithm, DpopKey, PublicJwk, Signer, SigningKey,
    auth_core::{DpopProver, Error, ErrorKind, ProofClaims, async_trait},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::keys::{self, key};

const URL: &str = "https://api.example.com/orders";
/// RFC 9449 §4.1.
const EXAMPLE_KEY: &str = r#"{"kty":"EC","crv":"P-256",
    "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;

fn claims() -> ProofClaims<'static> {
    let time = Duration::from_millis(1_562_262_616_900);
    ProofClaims::new(&Method::GET, URL).with_time(time)
}

/// Verifies a proof by the key in its header, and returns its claims.
fn verified(proof: &str) -> Value {
    let header = decode_header(proof).unwrap();
    assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
    let key = DecodingKey::from_jwk(&header.jwk.unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    decode::<Value>(proof, &key, &validation).unwrap().claims
}

fn proof(key: &DpopKey, claims: &ProofClaims<'_>) -> String {
    key.prove_now(claims).unwrap().unwrap()
}

/// Signs by a key as a service does.
#[derive(Debug)]
struct Remote {
    algorithm: Algorithm,
    public_jwk: Option<PublicJwk>,
    key: SigningKey,
}

impl Remote {
    fn of(key: SigningKey) -> Self {
        Self {
            algorithm: key.algorithm(),
            public_jwk: key.public_jwk().cloned(),
            key,
        }
    }
}

#[async_trait]
impl Signer for Remote {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.sign(message).await
    }

    fn public_jwk(&self) -> Option<&PublicJwk> {
        self.public_jwk.as_ref()
    }
}

#[test]
fn rfc9449_4_2_another_library_verifies_the_proofs_of_each_algorithm() {
    let rsa = SigningKey::from_pem(key!("rsa2048.pem")).unwrap();
    for key in [
        SigningKey::from_jwk(keys::P256).unwrap(),
        SigningKey::from_pem(key!("p384.pem")).unwrap(),
        SigningKey::from_pem(key!("ed25519.pem")).unwrap(),
        rsa.clone().with_algorithm(Algorithm::Ps256).unwrap(),
        rsa,
        SigningKey::generate(Algorithm::Es256).unwrap(),
    ] {
        let thumbprint = key.public_jwk().unwrap().thumbprint();
        let key = DpopKey::new(key).unwrap();
        assert_eq!(key.thumbprint(), thumbprint);
        let claims = claims().with_access_token("abc").with_nonce("n-1");
        let mut found = verified(&proof(&key, &claims));
        let jti = found.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(jti.as_str().unwrap().len(), 22, "128 bits in base64url");
        let ath = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        let expected = json!({
            "htm": "GET", "htu": URL, "iat": 1_562_262_616, "ath": ath, "nonce": "n-1",
        });
        assert_eq!(found, expected, "{key:?}");
    }
}

#[test]
fn rfc9449_4_2_the_header_has_the_public_key_and_nothing_else() {
    let signing = SigningKey::from_jwk(keys::P256).unwrap();
    let signing = signing.with_key_id("key-1").unwrap();
    let public = signing.public_jwk().unwrap().to_string();
    let proof = proof(&DpopKey::new(signing).unwrap(), &claims());
    let (header, _) = proof.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let expected: Value = serde_json::from_str(&public).unwrap();
    assert_eq!(
        header,
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": expected})
    );
    let found = verified(&proof);
    let names: Vec<_> = found.as_object().unwrap().keys().collect();
    assert_eq!(names, ["htm", "htu", "iat", "jti"], "neither ath nor nonce");
}

#[test]
fn rfc9449_7_1_the_hash_of_the_example_token() {
    let key = DpopKey::generate().unwrap();
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let found = verified(&proof(&key, &claims().with_access_token(token)));
    assert_eq!(found["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn rfc9449_6_1_the_thumbprint_of_the_example_key() {
    let key = DpopKey::new(Remote {
        public_jwk: Some(PublicJwk::from_jwk(EXAMPLE_KEY).unwrap()),
        ..Remote::of(SigningKey::from_jwk(keys::P256).unwrap())
    });
    assert_eq!(
        key.unwrap().thumbprint(),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    );
}

#[test]
fn rfc9449_11_1_each_proof_has_a_jti_of_its_own() {
    let key = DpopKey::generate().unwrap();
    let all: HashSet<String> = (0..1000).map(|_| proof(&key, &claims())).collect();
    let all: HashSet<_> = all
        .iter()
        .map(|proof| verified(proof)["jti"].to_string())
        .collect();
    assert_eq!(all.len(), 1000);
}

#[test]
fn claims_with_quotes_stay_json() {
    let key = DpopKey::generate().unwrap();
    let url = "https://api.example.com/a\"b\\c";
    let proof = proof(&key, &ProofClaims::new(&Method::GET, url));
    assert_eq!(verified(&proof)["htu"], url);
}

#[test]
fn a_key_without_a_public_key_is_an_error() {
    let hmac = SigningKey::hmac(&[7; 32], Algorithm::Hs256).unwrap();
    let without = Remote {
        public_jwk: None,
        ..Remote::of(SigningKey::from_jwk(keys::P256).unwrap())
    };
    for key in [DpopKey::new(hmac), DpopKey::new(without)] {
        let error = key.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(
            error.to_string().contains("expected an asymmetric key"),
            "{error}"
        );
    }
    let other = Remote {
        algorithm: Algorithm::Ps256,
        ..Remote::of(SigningKey::from_jwk(keys::P256).unwrap())
    };
    let error = DpopKey::new(other).unwrap_err();
    assert!(error.to_string().contains("of another type"), "{error}");
}

#[tokio::test]
async fn a_signer_that_needs_io_makes_its_proofs_later_and_they_are_verified() {
    let key = DpopKey::new(Remote::of(SigningKey::from_jwk(keys::P256).unwrap())).unwrap();
    assert!(key.prove_now(&claims()).is_none());
    verified(&key.prove(&claims()).await.unwrap());
}

/// A service may fail once, so that the next attempt follows after a second and not after half a minute.
#[tokio::test]
async fn what_a_service_returns_in_place_of_a_signature_is_a_transient_error() {
    let p256 = || Remote::of(SigningKey::from_jwk(keys::P256).unwrap());
    let of_another_key = Remote {
        public_jwk: Some(PublicJwk::from_jwk(EXAMPLE_KEY).unwrap()),
        ..p256()
    };
    let of_another_length = Remote {
        key: SigningKey::from_pem(key!("p384.pem")).unwrap(),
        ..p256()
    };
    for (remote, told) in [
        (
            of_another_key,
            "expected a signature by ES256 of its public key, got octets that this key does not verify",
        ),
        (
            of_another_length,
            "expected a signature of 64 octets by ES256, got one of 96",
        ),
    ] {
        let key = DpopKey::new(remote).unwrap();
        let error = key.prove(&claims()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("signer: {told}"));
        assert!(error.is_transient(), "{error}");
    }
}

#[test]
fn only_a_generated_key_ends_with_its_process() {
    let read = DpopKey::new(SigningKey::from_jwk(keys::P256).unwrap()).unwrap();
    assert!(!read.ends_with_process());
    assert!(DpopKey::generate().unwrap().ends_with_process());
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let generated = SigningKey::generate(algorithm).unwrap();
        let generated = Arc::new(generated.with_key_id("key-1").unwrap());
        let key = DpopKey::new(generated).unwrap();
        assert!(key.ends_with_process(), "{algorithm}");
    }
    let shown = format!("{read:?}");
    assert!(
        shown.contains("Es256") && shown.contains(read.thumbprint()),
        "{shown}"
    );
    assert!(!shown.contains("signer"), "{shown}");
}
