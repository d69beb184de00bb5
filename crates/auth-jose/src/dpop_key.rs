//! Keys to which tokens are bound (RFC 9449).

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::{DpopProver, Error, ProofClaims};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::{
    algorithm::Algorithm, base64url, fault::invalid, random, signature, signer::Signer,
    signing_key::SigningKey,
};

const WHAT: &str = "DPoP key";
/// The usual length of the claims, apart from URL and nonce, so that the text of a proof does not grow.
const OTHER_CLAIMS: usize = 192;
/// The length of a signature by ECDSA or EdDSA in base64url, and the dot before it.
const SIGNATURE: usize = 130;

/// A key to which tokens are bound by DPoP ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): each
/// request carries a proof, a JWT that the key signs for this request alone.
///
/// The header of a proof has `typ` (`dpop+jwt`), `alg` and the public key as `jwk`. Its claims are `jti`
/// (128 random bits), `htm`, `htu`, `iat`, and `ath` and `nonce` where they are needed.
///
/// With a key in memory each request is signed where it is authorized. With ES256 that takes some 20 µs,
/// with RSA of 2048 bits ten times as long or more. With any other signer each request waits for it.
///
/// The tokens can be used as long as the key exists. A key that is [generated](Self::generate) ends with
/// the process; processes with a shared store [read](crate::SigningKey::from_pem) one key from a file.
///
/// ```
/// use auth_jose::{DpopKey, auth_core::{Authorizer, ClientSecret, Error, HttpTransport}};
///
/// # fn example(transport: impl HttpTransport) -> Result<Authorizer, Error> {
/// let secret = ClientSecret::from("s3cr3t");
/// Authorizer::client_credentials("https://as.example.com/token", "my-client", secret)
///     .dpop(DpopKey::generate()?)
///     .origin("https://api.example.com")
///     .build(transport)
/// # }
/// ```
#[derive(Clone)]
pub struct DpopKey(Arc<Inner>);

struct Inner {
    signer: Box<dyn Signer>,
    thumbprint: String,
    /// The header of each proof in base64url, and the dot after it.
    header: String,
}

impl DpopKey {
    /// Creates the key of `signer`, such as a [`SigningKey`] or a key of a key management service.
    ///
    /// Its key id and its certificates are not part of the proofs. A key that
    /// [ends with this process](Signer::ends_with_process), such as a generated one, is an error beside a
    /// shared store.
    ///
    /// ```
    /// use auth_jose::{DpopKey, SigningKey};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let pem = std::fs::read_to_string("/run/secrets/dpop.pem")?;
    /// let key = DpopKey::new(SigningKey::from_pem(&pem)?)?;
    /// println!("the thumbprint of the key is {}", key.thumbprint());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the key is symmetric, or its public key is not known or not one for its algorithm.
    pub fn new(signer: impl Signer) -> Result<Self, Error> {
        Self::of(Box::new(signer))
    }

    /// Generates a key for ES256. It ends with this process, and so do the tokens that are bound to it: an
    /// authorizer with such a key and a shared store cannot be built.
    ///
    /// ```
    /// let key = auth_jose::DpopKey::generate()?;
    /// assert_eq!(key.thumbprint().len(), 43);
    /// # Ok::<(), auth_jose::auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the operating system returns no random octets.
    pub fn generate() -> Result<Self, Error> {
        Self::new(SigningKey::generate(Algorithm::Es256)?)
    }

    /// Returns the thumbprint of the public key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), by
    /// which servers name it (`dpop_jkt`, `jkt`).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    fn of(signer: Box<dyn Signer>) -> Result<Self, Error> {
        let algorithm = signer.algorithm();
        let Some(public_jwk) = signer.public_jwk() else {
            return Err(invalid(
                WHAT,
                format!(
                    "expected an asymmetric key with its public key (RFC 9449 section 4.2), got one for \
                     {algorithm} without a public key"
                ),
            ));
        };
        if !public_jwk.fits(algorithm) {
            let fault = format!("expected a public key for {algorithm}, got one of another type");
            return Err(invalid(WHAT, fault));
        }
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"{algorithm}","jwk":{public_jwk}}}"#);
        Ok(Self(Arc::new(Inner {
            thumbprint: public_jwk.thumbprint(),
            header: format!("{}.", base64url::encode(header)),
            signer,
        })))
    }

    /// Returns what is signed: header and claims.
    fn signing_input(&self, claims: &ProofClaims<'_>) -> Result<String, Error> {
        let (url, nonce) = (claims.url(), claims.nonce());
        let length = OTHER_CLAIMS + url.len() + nonce.map_or(0, str::len);
        let mut json = String::with_capacity(length);
        json.push_str(r#"{"jti":""#);
        json.push_str(&random::jti()?);
        json.push_str(r#"","htm":"#);
        push_json(&mut json, claims.method());
        json.push_str(r#","htu":"#);
        push_json(&mut json, url);
        json.push_str(r#","iat":"#);
        json.push_str(&claims.time().as_secs().to_string());
        if let Some(token) = claims.access_token() {
            json.push_str(r#","ath":""#);
            base64url::push(&mut json, digest(&SHA256, token.as_bytes()));
            json.push('"');
        }
        if let Some(nonce) = nonce {
            json.push_str(r#","nonce":"#);
            push_json(&mut json, nonce);
        }
        json.push('}');
        let header = &self.0.header;
        let mut input = String::with_capacity(header.len() + 2 * json.len() + SIGNATURE);
        input.push_str(header);
        base64url::push(&mut input, json);
        Ok(input)
    }
}

fn signed(mut input: String, signature: &[u8]) -> String {
    input.push('.');
    base64url::push(&mut input, signature);
    input
}

/// Appends a text as JSON. A method, a URL and a nonce have nothing to escape.
fn push_json(json: &mut String, text: &str) {
    let is_plain = |octet: u8| matches!(octet, b' '..=b'~') && !b"\"\\".contains(&octet);
    if !text.bytes().all(is_plain) {
        json.push_str(&Value::from(text).to_string());
        return;
    }
    json.push('"');
    json.push_str(text);
    json.push('"');
}

#[async_trait]
impl DpopProver for DpopKey {
    fn thumbprint(&self) -> &str {
        self.thumbprint()
    }

    async fn prove(&self, claims: &ProofClaims<'_>) -> Result<String, Error> {
        if let Some(proof) = self.prove_now(claims) {
            return proof;
        }
        let signer = &*self.0.signer;
        let input = self.signing_input(claims)?;
        let made = signer.sign(input.as_bytes()).await?;
        signature::check(signer, input.as_bytes(), &made)?;
        Ok(signed(input, &made))
    }

    fn prove_now(&self, claims: &ProofClaims<'_>) -> Option<Result<String, Error>> {
        let input = match self.signing_input(claims) {
            Ok(input) => input,
            Err(error) => return Some(Err(error)),
        };
        let signer = &*self.0.signer;
        let made = signer.sign_now(input.as_bytes())?;
        Some(made.and_then(|made| {
            signature::check_length(signer, &made)?;
            Ok(signed(input, &made))
        }))
    }

    fn ends_with_process(&self) -> bool {
        self.0.signer.ends_with_process()
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopKey")
            .field("algorithm", &self.0.signer.algorithm())
            .field("thumbprint", &self.0.thumbprint)
            .finish_non_exhaustive()
    }
}
