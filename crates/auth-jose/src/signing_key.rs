//! Keys in memory.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::{Error, SecretString};
use ring::{
    rand::SystemRandom,
    signature::{EcdsaKeyPair, Ed25519KeyPair},
};
use zeroize::Zeroizing;

use crate::{
    algorithm::Algorithm,
    certificate::Certificates,
    fault::invalid,
    jwk::Members,
    key_pair::KeyPair,
    key_type::{Curve, KeyType},
    private_key,
    public_jwk::PublicJwk,
    signer::Signer,
};

const WHAT: &str = "signing key";
/// The maximum length of a key id, in octets.
const MAX_KEY_ID: usize = 1024;

/// A key in memory that signs JWTs.
///
/// | key | algorithms, the default first |
/// |---|---|
/// | EC P-256 | ES256 |
/// | EC P-384 | ES384 |
/// | RSA of 2048 to 4096 bits | RS256, PS256 |
/// | RSASSA-PSS of 2048 to 4096 bits | PS256 |
/// | Ed25519 | EdDSA |
/// | secret ([`hmac`](Self::hmac), JWK of type `oct`) | HS256, HS384, HS512 |
///
/// RS256 is the default of RSA because most authorization servers accept it. FAPI 2.0 requires PS256:
/// [`with_algorithm`](Self::with_algorithm). A key that does not fit its algorithm is an error.
///
/// A clone shares the key. `Debug` shows the algorithm, the key id and the thumbprint. The texts and octets that a
/// key is read from are wiped after reading, apart from those of the caller. The crypto library keeps the
/// key in a form of its own, which it does not wipe.
///
/// ```
/// use auth_jose::{Algorithm, Signer, SigningKey};
///
/// // RFC 8037 A.1
/// let key = SigningKey::from_jwk(
///     r#"{"kty":"OKP","crv":"Ed25519","kid":"key-1",
///         "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
///         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// assert_eq!(key.algorithm(), Algorithm::EdDsa);
/// assert_eq!(key.key_id(), Some("key-1"));
/// assert_eq!(
///     format!("{key:?}"),
///     r#"SigningKey { algorithm: EdDsa, key_id: Some("key-1"), thumbprint: Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"), .. }"#,
/// );
/// assert!(key.with_algorithm(Algorithm::Es256).is_err());
/// # Ok::<(), auth_jose::auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<KeyPair>,
    algorithm: Algorithm,
    public_jwk: Option<Arc<PublicJwk>>,
    key_id: Option<Arc<str>>,
    certificates: Option<Arc<Certificates>>,
    is_generated: bool,
}

impl SigningKey {
    /// Reads PEM with one private key: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`) or PKCS#1
    /// (`RSA PRIVATE KEY`). Certificates beside it are ignored;
    /// [`with_certificate_pem`](Self::with_certificate_pem) reads them from the same text.
    ///
    /// An EC key has to contain its public key. OpenSSL writes both; some other programs do not.
    ///
    /// # Errors
    /// If there is no private key or more than one, if it is encrypted, or of a type or size that is not in the
    /// [table](Self), or if its parts contradict each other. Where OpenSSL can convert the key, the error
    /// has the command.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let pair = private_key::from_pem(text);
        pair.map(Self::of)
            .map_err(|got| invalid(WHAT, format!("expected one private key in PEM, got {got}")))
    }

    /// Reads a key in PKCS#8 ([RFC 5958](https://www.rfc-editor.org/rfc/rfc5958)), in DER.
    ///
    /// # Errors
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let pair = private_key::from_pkcs8(der);
        pair.map(Self::of)
            .map_err(|got| invalid(WHAT, format!("expected a private key in PKCS#8, got {got}")))
    }

    /// Reads a JWK ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)) with a private key: type `EC`, `RSA`
    /// with both primes, `OKP` or `oct`. Its `alg` is the algorithm and its `kid` the key id, if it has them.
    /// A key of type `oct` without `alg` signs by HS256.
    ///
    /// # Errors
    /// If the text is no such key, if `use` or `key_ops` do not permit signatures, or if the key does not fit
    /// its `alg`.
    pub fn from_jwk(text: &str) -> Result<Self, Error> {
        let expected = |fault: String| invalid(WHAT, format!("expected {fault}"));
        let members = Members::parse(text).map_err(expected)?;
        let pair = private_key::from_jwk(&members).map_err(expected)?;
        let (algorithm, key_id) = (members.text("alg"), members.text("kid"));
        let mut key = Self::of(pair);
        if let Some(name) = algorithm.map_err(expected)? {
            key.algorithm = name
                .parse()
                .map_err(|error| invalid(WHAT, format!("{error}")))?;
        }
        if let Some(key_id) = key_id.map_err(expected)? {
            key = key.with_key_id(key_id)?;
        }
        let algorithm = key.algorithm;
        key.with_algorithm(algorithm)
    }

    /// Creates a symmetric key of HMAC.
    ///
    /// # Errors
    /// If `algorithm` is not HS256, HS384 or HS512, or if the secret is shorter than its hash: 32, 48 or 64
    /// octets ([RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    pub fn hmac(secret: &[u8], algorithm: Algorithm) -> Result<Self, Error> {
        let pair = KeyPair::Hmac(Zeroizing::new(secret.to_vec()));
        Self::of(pair).with_algorithm(algorithm)
    }

    /// Generates a key for ES256, ES384 or EdDSA. It ends with this process: nothing returns it.
    ///
    /// ```
    /// use auth_jose::{Algorithm, Signer, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// assert!(key.public_jwk().is_some());
    /// # Ok::<(), auth_jose::auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// For another algorithm, and if the operating system returns no random octets.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(Curve::P256.signing(), &random),
            Algorithm::Es384 => EcdsaKeyPair::generate_pkcs8(Curve::P384.signing(), &random),
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            other => {
                let fault =
                    format!("expected ES256, ES384 or EdDSA to generate a key for, got {other}");
                return Err(invalid(WHAT, fault));
            }
        };
        let document = document
            .map_err(|_| invalid(WHAT, "the operating system returned no random octets"))?;
        let key = Self::from_pkcs8_der(document.as_ref())?;
        Ok(Self {
            is_generated: true,
            ..key
        })
    }

    /// Sets the algorithm. Default: the first one in the [table](Self), or `alg` of a JWK.
    ///
    /// # Errors
    /// If the key does not fit the algorithm, or is too short for it ([`hmac`](Self::hmac)).
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Result<Self, Error> {
        if !self.pair.fits(algorithm) {
            let name = self.pair.key_type().map_or("symmetric", KeyType::name);
            let fault = format!("expected a key for {algorithm}, got a key of type {name}");
            return Err(invalid(WHAT, fault));
        }
        if let (KeyPair::Hmac(secret), Some(length)) = (&*self.pair, algorithm.signature_length())
            && secret.len() < length
        {
            // its exact length would tell something about the secret
            let fault = format!(
                "expected a secret of at least {length} octets for {algorithm}, got a shorter one"
            );
            return Err(invalid(WHAT, fault));
        }
        self.algorithm = algorithm;
        Ok(self)
    }

    /// Sets the key id, which becomes the header `kid`. Default: `kid` of a JWK, otherwise none.
    ///
    /// # Errors
    /// If it is empty, longer than 1,024 octets, or holds a control character.
    pub fn with_key_id(mut self, key_id: &str) -> Result<Self, Error> {
        let got = if key_id.is_empty() {
            "an empty text"
        } else if key_id.len() > MAX_KEY_ID {
            "a longer text"
        } else if key_id.chars().any(char::is_control) {
            "a text with a control character"
        } else {
            self.key_id = Some(key_id.into());
            return Ok(self);
        };
        let fault = format!("expected a key id of 1 to {MAX_KEY_ID} octets, got {got}");
        Err(invalid(WHAT, fault))
    }

    /// Sets the thumbprint of the public key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)) as the key
    /// id.
    ///
    /// # Errors
    /// If the key is symmetric: a thumbprint would help to guess it.
    pub fn with_key_id_from_thumbprint(self) -> Result<Self, Error> {
        match &self.public_jwk {
            Some(public_jwk) => {
                let thumbprint = public_jwk.thumbprint();
                self.with_key_id(&thumbprint)
            }
            None => {
                let fault = "expected an asymmetric key for a thumbprint, got a symmetric one";
                Err(invalid(WHAT, fault))
            }
        }
    }

    /// Reads the certificate of the key from PEM, and the certificates that issued it, as
    /// [`Certificates::from_pem`] does. Its thumbprint becomes the header `x5t#S256`.
    ///
    /// # Errors
    /// If there is no certificate, or the first one is of another key.
    pub fn with_certificate_pem(mut self, text: &str) -> Result<Self, Error> {
        let certificates = Certificates::from_pem(text)?;
        if self.public_jwk.as_deref() != Some(certificates.public_key()) {
            let fault = "expected the certificate of the key, got the certificate of another key; \
                         the certificate of the key comes first";
            return Err(invalid(WHAT, fault));
        }
        self.certificates = Some(Arc::new(certificates));
        Ok(self)
    }

    /// Creates a symmetric key of a client's secret, which may be shorter than the hash.
    pub(crate) fn of_client_secret(secret: &SecretString, algorithm: Algorithm) -> Self {
        let secret = Zeroizing::new(secret.expose().as_bytes().to_vec());
        let key = Self::of(KeyPair::Hmac(secret));
        Self { algorithm, ..key }
    }

    fn of(pair: KeyPair) -> Self {
        let key_type = pair.key_type();
        Self {
            algorithm: key_type.map_or(Algorithm::Hs256, KeyType::default_algorithm),
            public_jwk: pair.public_jwk().map(Arc::new),
            pair: Arc::new(pair),
            key_id: None,
            certificates: None,
            is_generated: false,
        }
    }
}

#[async_trait]
impl Signer for SigningKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.pair.sign(self.algorithm, message);
        signature.map_err(|_| invalid(WHAT, "the key does not sign"))
    }

    fn sign_now(&self, message: &[u8]) -> Option<Result<Vec<u8>, Error>> {
        let signature = self.pair.sign(self.algorithm, message);
        Some(signature.map_err(|_| invalid(WHAT, "the key does not sign")))
    }

    fn public_jwk(&self) -> Option<&PublicJwk> {
        self.public_jwk.as_deref()
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_deref()
    }

    fn ends_with_process(&self) -> bool {
        self.is_generated
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thumbprint = self.public_jwk.as_ref().map(|public| public.thumbprint());
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("thumbprint", &thumbprint)
            .finish_non_exhaustive()
    }
}
