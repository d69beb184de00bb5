//! JWTs (RFC 7519), signed in the compact serialization of a JWS (RFC 7515 §3.1).

use std::fmt;

use auth_core::{Error, SecretString};
use serde_json::Value;

use crate::{base64url, fault::invalid, random, signature, signer::Signer};

const WHAT: &str = "JWT";

/// A JWT before it is signed: a header, and claims in the order in which they were added.
///
/// The header has `alg`, and then, where there is one, `typ`, `kid`, `x5t#S256`, `x5c` and `jwk`. The signed
/// JWT is a [`SecretString`], because any holder can use it. `Debug` shows the names of the claims.
///
/// ```
/// use auth_jose::{Algorithm, Jwt, SigningKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), auth_jose::auth_core::Error> {
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let jwt = Jwt::new().typ("JWT").claim("iss", "my-client").claim("exp", 1_700_000_060);
/// let signed = jwt.sign(&key).await?;
/// assert_eq!(signed.expose().split('.').count(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Jwt {
    typ: Option<String>,
    has_chain: bool,
    has_public_key: bool,
    claims: Vec<(String, Value)>,
}

impl Jwt {
    /// Creates a JWT without claims.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the header `typ`. Default: none.
    #[must_use]
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// Adds the header `x5c`: the certificates of the signer. Default: none.
    #[must_use]
    pub fn certificate_chain(mut self) -> Self {
        self.has_chain = true;
        self
    }

    /// Adds the header `jwk`: the public key of the signer, as DPoP needs it. Default: none.
    #[must_use]
    pub fn public_key(mut self) -> Self {
        self.has_public_key = true;
        self
    }

    /// Adds a claim. A claim of that name is replaced, and keeps its place.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.claims.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.claims.push((name, value)),
        }
        self
    }

    /// Adds the claim `jti`: 128 random bits as 22 characters of base64url.
    ///
    /// # Errors
    /// If the operating system returns no random octets.
    pub fn random_jti(self) -> Result<Self, Error> {
        Ok(self.claim("jti", random::jti()?))
    }

    /// Returns the signed JWT. The signature of a signer that is not [immediate](Signer::sign_now) is
    /// verified by its public key.
    ///
    /// # Errors
    /// If the signer fails, if it has no certificates or no public key where the header needs them, or if
    /// what it returned is no signature. The last one is transient for a signer that is not immediate.
    pub async fn sign(&self, signer: &dyn Signer) -> Result<SecretString, Error> {
        if let Some(signed) = self.sign_now(signer) {
            return signed;
        }
        let input = self.signing_input(signer)?;
        let signature = signer.sign(input.as_bytes()).await?;
        signature::check(signer, input.as_bytes(), &signature)?;
        Ok(signed(&input, &signature))
    }

    /// Returns the signed JWT at once. `None` if the signer needs I/O ([`Signer::sign_now`]).
    ///
    /// # Errors
    /// As for [`sign`](Self::sign).
    #[must_use]
    pub fn sign_now(&self, signer: &dyn Signer) -> Option<Result<SecretString, Error>> {
        let input = match self.signing_input(signer) {
            Ok(input) => input,
            Err(error) => return Some(Err(error)),
        };
        let signature = signer.sign_now(input.as_bytes())?;
        Some(signature.and_then(|signature| {
            signature::check_length(signer, &signature)?;
            Ok(signed(&input, &signature))
        }))
    }

    /// Returns what is signed: header and claims.
    fn signing_input(&self, signer: &dyn Signer) -> Result<String, Error> {
        let header = object(&self.header(signer)?);
        let claims = object(&self.claims);
        Ok(format!(
            "{}.{}",
            base64url::encode(header),
            base64url::encode(claims)
        ))
    }

    fn header(&self, signer: &dyn Signer) -> Result<Vec<(&'static str, Value)>, Error> {
        let mut header = vec![("alg", signer.algorithm().as_str().into())];
        if let Some(typ) = &self.typ {
            header.push(("typ", typ.as_str().into()));
        }
        if let Some(key_id) = signer.key_id() {
            header.push(("kid", key_id.into()));
        }
        if let Some(certificates) = signer.certificates() {
            header.push(("x5t#S256", certificates.thumbprint().into()));
        }
        if self.has_chain {
            let certificates = signer.certificates().ok_or_else(|| {
                invalid(
                    WHAT,
                    "expected a signer with certificates for the header x5c",
                )
            })?;
            header.push(("x5c", certificates.chain().into()));
        }
        if self.has_public_key {
            let public_jwk = signer.public_jwk().ok_or_else(|| {
                invalid(
                    WHAT,
                    "expected a signer with a public key for the header jwk",
                )
            })?;
            let members = public_jwk.members().into_iter();
            let members = members.map(|(name, value)| (name.to_owned(), Value::String(value)));
            header.push(("jwk", members.collect()));
        }
        Ok(header)
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claims: Vec<&str> = self.claims.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Jwt")
            .field("typ", &self.typ)
            .field("claims", &claims)
            .finish_non_exhaustive()
    }
}

/// Returns a JSON object with the members in their order.
fn object(members: &[(impl AsRef<str>, Value)]) -> String {
    let members = members.iter().map(|(name, value)| {
        let name = Value::from(name.as_ref());
        format!("{name}:{value}")
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn signed(input: &str, signature: &[u8]) -> SecretString {
    SecretString::from(format!("{input}.{}", base64url::encode(signature)))
}
