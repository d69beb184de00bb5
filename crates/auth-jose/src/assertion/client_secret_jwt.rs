//! Client authentication by a secret that is not sent.

use auth_core::{Assertion, AssertionContext, AssertionSource, ClientSecret, Error, async_trait};

use super::{
    builder::AssertionBuilder,
    key_source::KeySource,
    signed::{Rule, SignedAssertions},
};
use crate::algorithm::Algorithm;

/// Authenticates a client by an assertion that its secret signs: `client_secret_jwt` ([OpenID Connect Core
/// §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)).
///
/// The key of the HMAC is the UTF-8 of the secret. Servers issue secrets that are shorter than [RFC 7518
/// §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2) requires (32 octets for HS256); they are
/// accepted here. A reader of an assertion can try guesses of such a secret. Two secrets in
/// [rotation](auth_core::ClientSecret::rotating) are an error: an assertion is signed by one.
///
/// ```
/// use auth_jose::{
///     Algorithm, ClientSecretJwt,
///     auth_core::{ClientAuthentication, ClientSecret, Error},
/// };
///
/// fn authentication() -> Result<ClientAuthentication, Error> {
///     let secret = ClientSecret::from_file("/run/secrets/client-secret")?;
///     let assertion = ClientSecretJwt::new(secret, Algorithm::Hs256)?;
///     Ok(ClientAuthentication::client_assertion(assertion))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ClientSecretJwt(SignedAssertions);

impl ClientSecretJwt {
    /// Signs assertions with the defaults of [`AssertionBuilder`].
    ///
    /// # Errors
    /// If `algorithm` is not HS256, HS384 or HS512, if the secret is empty or contains a character that no
    /// secret has, or if there are two in rotation.
    pub fn new(secret: impl Into<ClientSecret>, algorithm: Algorithm) -> Result<Self, Error> {
        Self::builder(secret, algorithm).build()
    }

    /// Starts with a secret and an algorithm.
    pub fn builder(
        secret: impl Into<ClientSecret>,
        algorithm: Algorithm,
    ) -> AssertionBuilder<Self> {
        let keys = KeySource::of_secret(secret.into(), algorithm);
        AssertionBuilder::new(keys, Rule::ClientSecret)
    }
}

#[async_trait]
impl AssertionSource for ClientSecretJwt {
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        self.0.sign(context).await
    }

    async fn version(&self) -> Option<u64> {
        self.0.version().await
    }
}

#[doc(hidden)]
impl From<SignedAssertions> for ClientSecretJwt {
    fn from(assertions: SignedAssertions) -> Self {
        Self(assertions)
    }
}
