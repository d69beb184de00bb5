//! Builds assertions.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use auth_core::{AssertionContext, Error};
use serde_json::Value;

use super::{
    audience::Audience,
    claims::{Claim, Claims, Party},
    key_source::KeySource,
    signed::{Rule, SignedAssertions},
};

const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// Builds a [`PrivateKeyJwt`](super::PrivateKeyJwt), a [`ClientSecretJwt`](super::ClientSecretJwt) or a
/// [`JwtAssertion`](super::JwtAssertion).
///
/// An assertion has the claims `iss`, `aud`, `iat`, `exp` and `jti`, as client authentication also `sub`,
/// and no other claim that was not added: some authorization servers deny unknown claims.
///
/// ```
/// use std::time::Duration;
/// use auth_jose::{Algorithm, Audience, PrivateKeyJwt, SigningKey};
///
/// # let key = SigningKey::generate(Algorithm::Es256)?;
/// let assertion = PrivateKeyJwt::builder(key)
///     .audience(Audience::Text("https://as.example.com/".into()))
///     .typ("client-authentication+jwt")
///     .lifetime(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), auth_jose::auth_core::Error>(())
/// ```
#[must_use]
pub struct AssertionBuilder<T> {
    assertions: SignedAssertions,
    built: PhantomData<fn() -> T>,
}

impl<T> AssertionBuilder<T> {
    pub(super) fn new(keys: KeySource, rule: Rule) -> Self {
        let subject = match rule {
            Rule::PrivateKey | Rule::ClientSecret => Party::ClientId,
            Rule::Any => Party::Absent,
        };
        Self {
            assertions: SignedAssertions {
                keys,
                claims: Claims {
                    issuer: Party::ClientId,
                    subject,
                    audience: Audience::default(),
                    lifetime: DEFAULT_LIFETIME,
                    not_before: false,
                    jwt_id: true,
                    further: Vec::new(),
                },
                typ: None,
                has_chain: false,
                rule,
            },
            built: PhantomData,
        }
    }

    /// Sets the claim `aud`. Default: [`Audience::TokenEndpoint`].
    pub fn audience(mut self, audience: Audience) -> Self {
        self.assertions.claims.audience = audience;
        self
    }

    /// Sets the claim `iss`. Default: the client id.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.assertions.claims.issuer = Party::Text(issuer.into());
        self
    }

    /// Sets the claim `sub`. Default: the client id for client authentication, none for a
    /// [`JwtAssertion`](super::JwtAssertion).
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.assertions.claims.subject = Party::Text(subject.into());
        self
    }

    /// Sets the time from `iat` to `exp`, in whole seconds: 1 s to 1 h. Default: 60 s, which is the most
    /// that Keycloak accepts by default.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.assertions.claims.lifetime = lifetime;
        self
    }

    /// Sets whether there is the claim `nbf`, with the value of `iat`. Default: `false`. A server whose clock
    /// is a little behind would deny the assertion.
    pub fn not_before(mut self, has_claim: bool) -> Self {
        self.assertions.claims.not_before = has_claim;
        self
    }

    /// Sets whether there is the claim `jti`: 128 random bits as 22 characters of base64url. Default:
    /// `true`.
    pub fn jwt_id(mut self, has_claim: bool) -> Self {
        self.assertions.claims.jwt_id = has_claim;
        self
    }

    /// Adds a claim with the same value in each assertion.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let claim = (name.into(), Claim::Value(value.into()));
        self.assertions.claims.further.push(claim);
        self
    }

    /// Adds a claim whose value depends on the token request. The claim is left out where the result is
    /// `None`.
    ///
    /// ```
    /// use auth_jose::{Algorithm, JwtAssertion, SigningKey, auth_core::AssertionContext};
    ///
    /// # let key = SigningKey::generate(Algorithm::Es256)?;
    /// let assertion = JwtAssertion::builder(key)
    ///     .claim_fn("consumer_org", |context: &AssertionContext| {
    ///         let mut parameters = context.request().parameters();
    ///         let (_, organization) = parameters.find(|(name, _)| *name == "consumer_org")?;
    ///         Some(organization.into())
    ///     })
    ///     .build()?;
    /// # Ok::<(), auth_jose::auth_core::Error>(())
    /// ```
    pub fn claim_fn(
        mut self,
        name: impl Into<String>,
        value: impl Fn(&AssertionContext) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        let claim = (name.into(), Claim::Function(Arc::new(value)));
        self.assertions.claims.further.push(claim);
        self
    }

    /// Adds the claim `scope`: the scopes of the token request, separated by spaces. It is left out where
    /// there are none. For grants whose assertion names the scopes.
    pub fn scope_claim(self) -> Self {
        self.claim_fn("scope", |context| {
            let scopes = context.request().scopes();
            (!scopes.is_empty()).then(|| scopes.to_string().into())
        })
    }

    /// Adds the claim `resource`: an array of the resources of the token request. It is left out where
    /// there are none.
    pub fn resource_claim(self) -> Self {
        self.claim_fn("resource", |context| {
            let resources: Vec<Value> = context.request().resources().map(Value::from).collect();
            (!resources.is_empty()).then(|| resources.into())
        })
    }

    /// Sets the header `typ`. Default: none. Some servers expect `JWT`, others
    /// `client-authentication+jwt`.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.assertions.typ = Some(typ.into());
        self
    }

    /// Sets whether there is the header `x5c`, with the certificates of the key. Default: `false`.
    pub fn certificate_chain(mut self, has_header: bool) -> Self {
        self.assertions.has_chain = has_header;
        self
    }

    /// Builds the source of assertions.
    ///
    /// # Errors
    /// If a lifetime, a text or a claim is invalid, or the key does not fit what it is for.
    pub fn build(self) -> Result<T, Error>
    where
        T: From<SignedAssertions>,
    {
        self.assertions.check()?;
        Ok(T::from(self.assertions))
    }
}

impl<T> fmt::Debug for AssertionBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AssertionBuilder")
            .field(&self.assertions)
            .finish()
    }
}
