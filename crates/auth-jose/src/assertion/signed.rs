//! The common part of all assertions of this crate: a key, a header and claims.

use auth_core::{
    Assertion, AssertionContext, Error,
    shared_store::internal::{check_secret, is_rotating},
};

use super::{
    claims::Claims,
    key_source::{CurrentSigner, KeySource},
};
use crate::{fault::invalid, jwt::Jwt, signer::Signer};

/// Signs an assertion at each attempt of a token request.
#[derive(Clone, Debug)]
pub struct SignedAssertions {
    pub(super) keys: KeySource,
    pub(super) claims: Claims,
    pub(super) typ: Option<String>,
    pub(super) has_chain: bool,
    pub(super) rule: Rule,
}

/// Which keys an assertion may be signed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// `private_key_jwt`: asymmetric keys.
    PrivateKey,
    /// `client_secret_jwt`: the client's secret.
    ClientSecret,
    Any,
}

impl Rule {
    /// Returns the name that begins the texts of errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private_key_jwt",
            Self::ClientSecret => "client_secret_jwt",
            Self::Any => "JWT assertion",
        }
    }
}

impl SignedAssertions {
    /// Checks what can be known before the first token request.
    pub(super) fn check(&self) -> Result<(), Error> {
        let name = self.rule.name();
        self.claims.check(name)?;
        if self.typ.as_deref().is_some_and(str::is_empty) {
            return Err(invalid(
                name,
                "expected a text as header \"typ\", got an empty one",
            ));
        }
        if let Some((secret, algorithm)) = self.keys.secret() {
            if !algorithm.is_symmetric() {
                let fault = format!("expected HS256, HS384 or HS512, got {algorithm}");
                return Err(invalid(name, fault));
            }
            if is_rotating(secret) {
                let fault = "expected one secret, got two in rotation, of which the current one would never \
                             sign; give the secret in a file or by a function, and replace it there";
                return Err(invalid(name, fault));
            }
            check_secret(secret, "client secret of client_secret_jwt")?;
            if self.has_chain {
                return Err(invalid(
                    name,
                    "a client secret has no certificates for the header x5c",
                ));
            }
        }
        match self.keys.known() {
            Some(signer) => self.check_signer(&*signer),
            None => Ok(()),
        }
    }

    fn check_signer(&self, signer: &dyn Signer) -> Result<(), Error> {
        let name = self.rule.name();
        let algorithm = signer.algorithm();
        if self.rule == Rule::PrivateKey && algorithm.is_symmetric() {
            let fault =
                format!("expected an asymmetric key, got one of {algorithm}; use ClientSecretJwt");
            return Err(invalid(name, fault));
        }
        if self.has_chain && signer.certificates().is_none() {
            let fault = "expected a key with certificates for the header x5c, got one without";
            return Err(invalid(name, fault));
        }
        Ok(())
    }

    /// Signs an assertion.
    pub(super) async fn sign(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        let CurrentSigner { signer, version } = self.keys.current().await?;
        self.check_signer(&*signer)?;
        let mut jwt = Jwt::new();
        if let Some(typ) = &self.typ {
            jwt = jwt.typ(typ);
        }
        if self.has_chain {
            jwt = jwt.certificate_chain();
        }
        let jwt = self.claims.add_to(jwt, context)?;
        let assertion = Assertion::new(jwt.sign(&*signer).await?)?;
        Ok(match version {
            Some(version) => assertion.with_version(version),
            None => assertion,
        })
    }

    /// Returns the version of the key that signs now.
    pub(super) async fn version(&self) -> Option<u64> {
        self.keys.current().await.ok()?.version
    }
}
