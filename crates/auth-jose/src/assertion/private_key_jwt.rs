//! Client authentication by a private key.

use auth_core::{Assertion, AssertionContext, AssertionSource, Error, async_trait};

use super::{
    builder::AssertionBuilder,
    key_source::KeySource,
    signed::{Rule, SignedAssertions},
};

/// Authenticates a client by an assertion that its private key signs: `private_key_jwt`
/// ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2), [OpenID Connect Core
/// §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)).
///
/// Each attempt of a token request has an assertion of its own. A signer that takes longer than the attempt
/// fails the token request.
///
/// ```
/// use auth_jose::{
///     Algorithm, PrivateKeyJwt, SigningKey,
///     auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport},
/// };
///
/// fn grant(transport: impl HttpTransport, pem: &str) -> Result<ClientCredentials, Error> {
///     let key = SigningKey::from_pem(pem)?.with_key_id("key-1")?;
///     let assertion = PrivateKeyJwt::new(key)?;
///     let authentication = ClientAuthentication::client_assertion(assertion);
///     ClientCredentials::builder("https://as.example.com/token", "my-client", authentication)
///         .build(transport)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PrivateKeyJwt(SignedAssertions);

impl PrivateKeyJwt {
    /// Signs assertions with the defaults of [`AssertionBuilder`].
    ///
    /// # Errors
    /// If the key is symmetric.
    pub fn new(key: impl Into<KeySource>) -> Result<Self, Error> {
        Self::builder(key).build()
    }

    /// Starts with a key: a [`SigningKey`](crate::SigningKey), another [`Signer`](crate::Signer) or a
    /// [`KeyFile`](crate::KeyFile).
    pub fn builder(key: impl Into<KeySource>) -> AssertionBuilder<Self> {
        AssertionBuilder::new(key.into(), Rule::PrivateKey)
    }
}

#[async_trait]
impl AssertionSource for PrivateKeyJwt {
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        self.0.sign(context).await
    }

    async fn version(&self) -> Option<u64> {
        self.0.version().await
    }
}

#[doc(hidden)]
impl From<SignedAssertions> for PrivateKeyJwt {
    fn from(assertions: SignedAssertions) -> Self {
        Self(assertions)
    }
}
