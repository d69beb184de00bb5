//! Assertions as a grant.

use auth_core::{Assertion, AssertionContext, AssertionSource, Error, async_trait};

use super::{
    builder::AssertionBuilder,
    key_source::KeySource,
    signed::{Rule, SignedAssertions},
};

/// An assertion of the JWT bearer grant ([RFC 7523
/// §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)).
///
/// Authorization servers differ in where they expect the scopes: in the assertion
/// ([`scope_claim`](AssertionBuilder::scope_claim)) or in the form.
///
/// ```
/// use std::time::Duration;
/// use auth_jose::{Audience, JwtAssertion, SigningKey, auth_core::Error};
///
/// fn maskinporten(jwk: &str) -> Result<JwtAssertion, Error> {
///     JwtAssertion::builder(SigningKey::from_jwk(jwk)?)
///         .audience(Audience::Text("https://maskinporten.no/".into()))
///         .scope_claim()
///         .resource_claim()
///         .build()
/// }
///
/// fn google(pem: &str, key_id: &str, email: &str) -> Result<JwtAssertion, Error> {
///     JwtAssertion::builder(SigningKey::from_pem(pem)?.with_key_id(key_id)?)
///         .issuer(email)
///         .scope_claim()
///         .typ("JWT")
///         .lifetime(Duration::from_secs(3600))
///         .build()
/// }
///
/// fn docusign(pem: &str, user_id: &str) -> Result<JwtAssertion, Error> {
///     JwtAssertion::builder(SigningKey::from_pem(pem)?)
///         .subject(user_id)
///         .audience(Audience::Text("account.docusign.com".into()))
///         .scope_claim()
///         .build()
/// }
///
/// fn zitadel(pem: &str, key_id: &str, user_id: &str) -> Result<JwtAssertion, Error> {
///     JwtAssertion::builder(SigningKey::from_pem(pem)?.with_key_id(key_id)?)
///         .issuer(user_id)
///         .subject(user_id)
///         .audience(Audience::Text("https://my-instance.zitadel.cloud".into()))
///         .build()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct JwtAssertion(SignedAssertions);

impl JwtAssertion {
    /// Starts with a key: a [`SigningKey`](crate::SigningKey), another [`Signer`](crate::Signer) or a
    /// [`KeyFile`](crate::KeyFile).
    pub fn builder(key: impl Into<KeySource>) -> AssertionBuilder<Self> {
        AssertionBuilder::new(key.into(), Rule::Any)
    }
}

#[async_trait]
impl AssertionSource for JwtAssertion {
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        self.0.sign(context).await
    }

    async fn version(&self) -> Option<u64> {
        self.0.version().await
    }
}

#[doc(hidden)]
impl From<SignedAssertions> for JwtAssertion {
    fn from(assertions: SignedAssertions) -> Self {
        Self(assertions)
    }
}
