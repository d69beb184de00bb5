//! The keys that verify assertions.

use std::fmt;

use auth_core::Error;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, crypto::rust_crypto::DEFAULT_PROVIDER, jwk::Jwk,
};

/// A key that verifies the assertions of a client, or of the issuer of a grant's assertions: a public
/// key, or a shared secret.
///
/// `Debug` shows neither.
///
/// ```
/// use auth_testing::VerificationKey;
///
/// let key = VerificationKey::from_jwk(
///     r#"{"kty":"OKP","crv":"Ed25519","kid":"key-1",
///         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// assert!(VerificationKey::from_pem("no key").is_err());
/// # Ok::<(), auth_testing::auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct VerificationKey {
    key: DecodingKey,
    /// `kid` and `alg` of a JWK.
    id: Option<String>,
    algorithm: Option<Algorithm>,
}

impl VerificationKey {
    /// Reads a public JWK ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)) of the type `RSA`, `EC`
    /// (P-256, P-384) or `OKP` (Ed25519). With `kid` it verifies only assertions that name no key or this
    /// one, with `alg` only those of this algorithm.
    ///
    /// # Errors
    /// If the text is no such JWK.
    pub fn from_jwk(json: &str) -> Result<Self, Error> {
        let invalid = |fault: String| Error::configuration(format!("public JWK: {fault}"));
        let jwk: Jwk = serde_json::from_str(json)
            .map_err(|_| invalid("expected a JWK (RFC 7517), got another text".into()))?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|error| {
            invalid(format!(
                "expected the type RSA, EC (P-256, P-384) or OKP (Ed25519), got one that the library \
                 does not know ({error})"
            ))
        })?;
        let algorithm = jwk.common.key_algorithm.map(|named| named.to_string());
        let algorithm = algorithm.map(|name| {
            name.parse().map_err(|_| {
                invalid(format!(
                    "alg: expected an algorithm of signatures, got {name:?}"
                ))
            })
        });
        Ok(Self {
            key,
            id: jwk.common.key_id,
            algorithm: algorithm.transpose()?,
        })
    }

    /// Reads a public key in PEM: `PUBLIC KEY` (RSA, EC on P-256 or P-384, Ed25519) or
    /// `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// If the text is no such PEM.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let pem = pem.as_bytes();
        let key = DecodingKey::from_ec_pem(pem)
            .or_else(|_| DecodingKey::from_ed_pem(pem))
            .or_else(|_| DecodingKey::from_rsa_pem(pem));
        let key = key.map_err(|_| {
            Error::configuration(
                "public key: expected PEM with a PUBLIC KEY of RSA, EC (P-256, P-384) or Ed25519, got \
                 another text",
            )
        })?;
        Ok(Self {
            key,
            id: None,
            algorithm: None,
        })
    }

    /// Takes the secret of a client, whose UTF-8 is the key of HS256, HS384 and HS512
    /// (`client_secret_jwt`).
    #[must_use]
    pub fn from_secret(secret: &str) -> Self {
        Self {
            key: DecodingKey::from_secret(secret.as_bytes()),
            id: None,
            algorithm: None,
        }
    }

    /// Sets the `kid`: the key verifies only assertions that name no key or this one. Default: that of
    /// the JWK, none for another key.
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(super) fn is_secret(&self) -> bool {
        self.key.family() == AlgorithmFamily::Hmac
    }

    /// Returns whether an assertion with this header may be signed by the key.
    pub(super) fn fits(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        algorithm.family() == self.key.family()
            && self.algorithm.is_none_or(|own| own == algorithm)
            && (id.is_none() || self.id.is_none() || self.id.as_deref() == id)
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        // not the provider of the process, which may be another one or none
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("family", &self.key.family())
            .field("key_id", &self.id)
            .finish_non_exhaustive()
    }
}
