//! Presets for providers, from their public documents. A preset sets the token endpoint, the client
//! authentication, the scope and the origin of the API. Every setting can be overridden.
//!
//! | preset | token endpoint | client authentication | scope | lifetime | API origin |
//! |---|---|---|---|---|---|
//! | `signicat` | `https://api.signicat.com/auth/open/connect/token` | `client_secret_post`; `client_secret_basic` is supported as well | `signicat-api` by default | 600 s by default, 1–3600 s as set in the provider's dashboard | `https://api.signicat.com` |
//! | `signicat-express` | `https://api.signicat.io/oauth/connect/token` | `client_secret_basic_raw` | at least one required | 3600 s | `https://api.signicat.io` |
//! | `idfy` | `https://oauth.signere.no/connect/token` | `client_secret_basic_raw` | at least one required | stated in the response | set by the caller |
//! | `idfy-test` | `https://oauth2test.signere.com/connect/token` | `client_secret_basic_raw` | at least one required | stated in the response | set by the caller |
//! | `idfy-deprecated` | `https://api.idfy.io/oauth/connect/token` | `client_secret_basic_raw` | at least one required | 3600 s | set by the caller |
//! | `idnow:HOST` | `https://HOST/oidc/token` | `client_secret_post`; `client_secret_basic` is supported as well | none | 86400 s | set by the caller |
//!
//! The names parse into a [`Provider`]. The token's lifetime is always taken from the response; the
//! table shows the lifetimes that the providers document.
//!
//! `client_secret_basic` percent-encodes id and secret, as RFC 6749 §2.3.1 requires.
//! `client_secret_basic_raw` does not, as the documents of many servers show. The client's
//! authentication is never probed: a request with the wrong method is denied. Set another method
//! with [`ClientCredentialsBuilder::authentication`].
//!
//! ```
//! # use auth_core::{Authorizer, Error, HttpTransport, TokenCache, provider::Provider};
//! # fn example(transport: impl HttpTransport) -> Result<(), Error> {
//! let signicat = Provider::signicat();
//! let grant = signicat
//!     .client_credentials("sandbox-round-apple-123", "fakeCl13n7S3Cr3T1234567890")
//!     .build(transport)?;
//! let authorizer = Authorizer::builder(TokenCache::new(grant))
//!     .origins(signicat.api_origin())
//!     .build()?;
//! # Ok(())
//! # }
//! ```

use std::{borrow::Cow, fmt, str::FromStr};

use crate::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, ClientSecret, Error,
    redact::without_secrets, token_endpoint::Method,
};

/// The scopes of a token request, by a provider's documents.
#[derive(Clone, Copy, Debug)]
enum PresetScope {
    None,
    Default(&'static str),
    Required,
}

impl PresetScope {
    fn default(self) -> Option<&'static str> {
        match self {
            Self::Default(scope) => Some(scope),
            Self::None | Self::Required => None,
        }
    }

    fn is_required(self) -> bool {
        matches!(self, Self::Required)
    }
}

/// A preset: the settings of a client, by a provider's documents.
#[derive(Clone)]
pub struct Provider {
    name: &'static str,
    token_endpoint: Cow<'static, str>,
    authentication: Method,
    scope: PresetScope,
    api_origin: Option<&'static str>,
}

impl Provider {
    /// Signicat, at `api.signicat.com`. The scope is `signicat-api` by default. The secret is sent
    /// in the body; `client_secret_basic` is supported as well. Tokens live 600 s by default,
    /// 1–3600 s as set in Signicat's dashboard.
    #[must_use]
    pub const fn signicat() -> Self {
        Self {
            name: "signicat",
            token_endpoint: Cow::Borrowed("https://api.signicat.com/auth/open/connect/token"),
            authentication: Method::Post,
            scope: PresetScope::Default("signicat-api"),
            api_origin: Some("https://api.signicat.com"),
        }
    }

    /// Signicat Express, at `api.signicat.io`, test and production. The caller names the scopes
    /// (`document_read`, `document_write`, `document_file`, `event`, `identify`). Tokens live
    /// 3600 s.
    #[must_use]
    pub const fn signicat_express() -> Self {
        Self {
            name: "signicat-express",
            token_endpoint: Cow::Borrowed("https://api.signicat.io/oauth/connect/token"),
            authentication: Method::BasicRaw,
            scope: PresetScope::Required,
            api_origin: Some("https://api.signicat.io"),
        }
    }

    /// Idfy / Signere, the test system. The caller names the scopes and the API's origin.
    #[must_use]
    pub const fn idfy_test() -> Self {
        Self::idfy_at("idfy-test", "https://oauth2test.signere.com/connect/token")
    }

    /// Idfy / Signere, the production system. The caller names the scopes and the API's origin.
    #[must_use]
    pub const fn idfy() -> Self {
        Self::idfy_at("idfy", "https://oauth.signere.no/connect/token")
    }

    /// Idfy's old endpoint, **deprecated by the provider** in favor of
    /// [`signicat_express`](Self::signicat_express), and kept here for old integrations. The caller
    /// names the scopes and the API's origin. Tokens live 3600 s.
    #[must_use]
    pub const fn idfy_deprecated() -> Self {
        Self::idfy_at("idfy-deprecated", "https://api.idfy.io/oauth/connect/token")
    }

    /// IDnow, which has an authorization server for each customer. `host` is its host, with or
    /// without a port. There is no scope. The secret is sent in the body; `client_secret_basic` is
    /// supported as well. Tokens live 86400 s. The caller names the API's origin.
    #[must_use]
    pub fn idnow(host: &str) -> Self {
        Self {
            name: "idnow",
            token_endpoint: Cow::Owned(format!("https://{host}/oidc/token")),
            authentication: Method::Post,
            scope: PresetScope::None,
            api_origin: None,
        }
    }

    const fn idfy_at(name: &'static str, token_endpoint: &'static str) -> Self {
        Self {
            name,
            token_endpoint: Cow::Borrowed(token_endpoint),
            authentication: Method::BasicRaw,
            scope: PresetScope::Required,
            api_origin: None,
        }
    }

    /// Returns the name from which the preset is parsed. IDnow's is without the host.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the URL of the token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    /// Returns the origin of the API, if the documents name one.
    #[must_use]
    pub fn api_origin(&self) -> Option<&'static str> {
        self.api_origin
    }

    /// Starts a client of this provider, with the authentication that its documents show first.
    pub fn client_credentials(
        &self,
        client_id: impl Into<String>,
        secret: impl Into<ClientSecret>,
    ) -> ClientCredentialsBuilder {
        ClientCredentials::builder(
            self.token_endpoint.clone(),
            client_id,
            ClientAuthentication::new(self.authentication, secret),
        )
        .scope_if_none(self.scope.default())
        .scope_required_by(self.scope.is_required().then_some(self.name))
    }
}

impl fmt::Debug for Provider {
    /// Shows the token endpoint without user and query, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("token_endpoint", &without_secrets(&self.token_endpoint))
            .field("authentication", &self.authentication)
            .field("scope", &self.scope)
            .field("api_origin", &self.api_origin)
            .finish()
    }
}

impl FromStr for Provider {
    type Err = Error;

    /// Parses the name of a preset: `signicat`, `signicat-express`, `idfy`, `idfy-test`,
    /// `idfy-deprecated`, or `idnow:` and the host of the authorization server.
    fn from_str(name: &str) -> Result<Self, Error> {
        let named = [
            Self::signicat(),
            Self::signicat_express(),
            Self::idfy(),
            Self::idfy_test(),
            Self::idfy_deprecated(),
        ];
        match name.strip_prefix("idnow:") {
            Some(host) if !host.is_empty() && !host.contains(['/', '@', '?', '#']) => {
                Ok(Self::idnow(host))
            }
            _ => named
                .into_iter()
                .find(|provider| provider.name == name)
                .ok_or_else(|| {
                    Error::configuration(format!(
                        "provider: expected signicat, signicat-express, idfy, idfy-test, \
                         idfy-deprecated or idnow:HOST, got {:?}",
                        without_secrets(name)
                    ))
                }),
        }
    }
}
