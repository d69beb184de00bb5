//! Assertions and proofs of every algorithm, verified by npm's `jose`, which shares no code with `auth-jose`.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use auth_core::{AssertionContext, AssertionSource, DpopProver as _, ProofClaims};
use auth_jose::{
    Algorithm, Audience, ClientSecretJwt, DpopKey, JwtAssertion, PrivateKeyJwt, Signer as _,
    SigningKey,
};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{keys_dir, verify};

const NOW: u64 = 1_700_000_000;
const AUDIENCE: &str = "https://as.example/token";
const SECRET: &str = "a-secret-of-64-octets-which-is-as-long-as-the-hash-of-hs512-abcd";
const HMAC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

/// Returns a key of each asymmetric algorithm.
fn keys() -> Result<Vec<SigningKey>> {
    let keys = [
        ("pk-es256", Algorithm::Es256),
        ("pk-es384", Algorithm::Es384),
        ("pk-rs256", Algorithm::Rs256),
        ("pk-ps256", Algorithm::Ps256),
        ("pk-eddsa", Algorithm::EdDsa),
    ];
    let keys = keys.into_iter().map(|(name, algorithm)| {
        let pem = fs::read_to_string(keys_dir()?.join(format!("{name}.private.pem")))?;
        Ok(SigningKey::from_pem(&pem)?.with_algorithm(algorithm)?)
    });
    keys.collect()
}

/// Returns the key by which `jose` verifies what `key` signs.
fn public(key: &SigningKey) -> Result<Value> {
    let public = key.public_jwk().context("the key is asymmetric")?;
    Ok(serde_json::from_str(&public.to_string())?)
}

/// The secret as a JWK.
fn secret() -> Value {
    let octets =
        "YS1zZWNyZXQtb2YtNjQtb2N0ZXRzLXdoaWNoLWlzLWFzLWxvbmctYXMtdGhlLWhhc2gtb2YtaHM1MTItYWJjZA";
    json!({"kty": "oct", "k": octets})
}

fn context() -> AssertionContext {
    AssertionContext::new(AUDIENCE)
        .with_client_id("my-client")
        .with_time(Duration::from_secs(NOW))
}

/// Makes an assertion, and describes it for `jose`.
async fn assertion(
    source: impl AssertionSource,
    key: Value,
    algorithm: Algorithm,
    subject: &str,
) -> Result<Value> {
    let assertion = source.assertion(&context()).await?;
    Ok(json!({
        "jwt": assertion.expose(),
        "key": key,
        "options": {
            "algorithms": [algorithm.as_str()],
            "issuer": "my-client",
            "subject": subject,
            "audience": AUDIENCE,
            "maxTokenAge": 60,
            "requiredClaims": ["exp", "iat", "jti"],
        },
        "at": NOW + 59,
    }))
}

/// Returns all assertions: the authentication of a client, and the assertion of a grant.
async fn assertions() -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for key in keys()? {
        let (algorithm, public) = (key.algorithm(), public(&key)?);
        let client = PrivateKeyJwt::new(key.clone())?;
        all.push(assertion(client, public.clone(), algorithm, "my-client").await?);
        let grant = JwtAssertion::builder(key).subject("user");
        all.push(assertion(grant.build()?, public, algorithm, "user").await?);
    }
    for algorithm in HMAC {
        let client = ClientSecretJwt::new(SECRET, algorithm)?;
        all.push(assertion(client, secret(), algorithm, "my-client").await?);
        let key = SigningKey::hmac(SECRET.as_bytes(), algorithm)?;
        let grant = JwtAssertion::builder(key).subject("user");
        all.push(assertion(grant.build()?, secret(), algorithm, "user").await?);
    }
    Ok(all)
}

/// RFC 7523 §3: the server checks signature, `iss`, `sub`, `aud`, `exp` and `iat`.
#[tokio::test]
async fn assertions_of_every_algorithm_are_verified() -> Result<()> {
    let assertions = assertions().await?;
    assert_eq!(assertions.len(), 16);
    for (read, sent) in verify(&assertions).await?.iter().zip(&assertions) {
        assert_eq!(read["error"], Value::Null, "{sent}");
        assert_eq!(read["header"]["alg"], sent["options"]["algorithms"][0]);
        assert_eq!(read["claims"]["exp"], NOW + 60, "{sent}");
        assert_eq!(read["claims"]["iat"], NOW, "{sent}");
    }
    Ok(())
}

/// Otherwise the tests beside this one would show nothing.
#[tokio::test]
async fn a_changed_an_old_and_a_foreign_assertion_is_not_verified() -> Result<()> {
    let old = assertions().await?.into_iter().map(|mut assertion| {
        assertion["at"] = (NOW + 60).into();
        (assertion, "ERR_JWT_EXPIRED")
    });
    let changed = assertions().await?.into_iter().map(|mut assertion| {
        let jwt = assertion["jwt"].as_str().unwrap_or_default();
        let (head, signature) = jwt.rsplit_once('.').unwrap_or_default();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        assertion["jwt"] = format!("{head}.{first}{}", &signature[1..]).into();
        (assertion, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED")
    });
    let foreign = assertions().await?.into_iter().map(|mut assertion| {
        assertion["options"]["audience"] = "https://other.example/token".into();
        (assertion, "ERR_JWT_CLAIM_VALIDATION_FAILED")
    });
    let (sent, expected): (Vec<_>, Vec<_>) = old.chain(changed).chain(foreign).unzip();
    let read = verify(&sent).await?;
    assert_eq!(read.len(), 48);
    for ((read, sent), expected) in read.iter().zip(&sent).zip(expected) {
        assert_eq!(read["error"], expected, "{sent}");
    }
    Ok(())
}

/// RFC 9449 §4.3: the server verifies by the key in the header.
#[tokio::test]
async fn proofs_of_every_algorithm_are_verified_by_the_key_in_their_header() -> Result<()> {
    let url = "https://api.example/orders";
    // RFC 9449 §7.1
    let (token, hash) = (
        "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
        "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
    );
    let claims = ProofClaims::new(&Method::PUT, url)
        .with_access_token(token)
        .with_nonce("n-1")
        .with_time(Duration::from_secs(NOW));
    let (mut sent, mut thumbprints) = (Vec::new(), Vec::new());
    for key in keys()? {
        let algorithm = key.algorithm();
        let key = DpopKey::new(key)?;
        sent.push(json!({
            "jwt": key.prove(&claims).await?,
            "options": {
                "algorithms": [algorithm.as_str()],
                "typ": "dpop+jwt",
                "maxTokenAge": 5,
                "requiredClaims": ["jti"],
            },
            "at": NOW,
        }));
        thumbprints.push(key.thumbprint().to_owned());
    }
    let read = verify(&sent).await?;
    assert_eq!(read.len(), 5);
    for ((read, sent), thumbprint) in read.iter().zip(&sent).zip(thumbprints) {
        assert_eq!(read["error"], Value::Null, "{sent}");
        assert_eq!(read["thumbprint"], thumbprint, "{sent}");
        let claims = &read["claims"];
        assert_eq!(claims["htm"], "PUT");
        assert_eq!(claims["htu"], url);
        assert_eq!(claims["iat"], NOW);
        assert_eq!(claims["ath"], hash);
        assert_eq!(claims["nonce"], "n-1");
    }
    Ok(())
}

/// RFC 7523 §3 leaves the audience to the server; the issuer is that of RFC 8414.
#[tokio::test]
async fn settings_of_an_assertion_are_read_as_they_were_set() -> Result<()> {
    let key = SigningKey::generate(Algorithm::Es256)?.with_key_id("key-1")?;
    let public = public(&key)?;
    let source = PrivateKeyJwt::builder(key)
        .audience(Audience::Issuer)
        .typ("client-authentication+jwt")
        .lifetime(Duration::from_secs(10))
        .not_before(true)
        .claim("authorization_details", json!([{"type": "é\"\\\u{1F511}"}]));
    let context = context().with_issuer("https://as.example");
    let assertion = source.build()?.assertion(&context).await?;
    let sent = json!({
        "jwt": assertion.expose(),
        "key": public,
        "options": {
            "algorithms": ["ES256"],
            "audience": "https://as.example",
            "typ": "client-authentication+jwt",
        },
        "at": NOW,
    });
    let read = verify(&[sent]).await?;
    let read = read.first().context("one result")?;
    assert_eq!(read["error"], Value::Null, "{read}");
    assert_eq!(read["header"]["kid"], "key-1");
    assert_eq!(read["claims"]["nbf"], NOW);
    assert_eq!(read["claims"]["exp"], NOW + 10);
    let details = json!([{"type": "é\"\\\u{1F511}"}]);
    assert_eq!(read["claims"]["authorization_details"], details);
    Ok(())
}
