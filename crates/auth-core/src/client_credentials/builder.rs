use std::sync::Arc;

use super::{ClientAuthentication, ClientCredentials, endpoint::TokenEndpoint};
use crate::{Error, HttpTransport, TokenRequest, TokenRequestBuilder};

/// Makes [`ClientCredentials`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct ClientCredentialsBuilder {
    token_endpoint: String,
    client_id: String,
    authentication: ClientAuthentication,
    defaults: TokenRequestBuilder,
    preset_scope: PresetScope,
    allow_http: bool,
}

/// What a provider's preset says of scopes, for a client that names none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PresetScope {
    None,
    Default(&'static str),
    /// The provider of this name refuses a request without one.
    RequiredBy(&'static str),
}

impl ClientCredentialsBuilder {
    pub(super) fn new(
        token_endpoint: String,
        client_id: String,
        authentication: ClientAuthentication,
    ) -> Self {
        Self {
            token_endpoint,
            client_id,
            authentication,
            defaults: TokenRequest::builder(),
            preset_scope: PresetScope::None,
            allow_http: false,
        }
    }

    /// Asks elsewhere than the provider's documents say.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = url.into();
        self
    }

    /// Authenticates otherwise than the provider's documents say first.
    #[must_use]
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Scopes to ask for where a [`TokenRequest`] names none, separated by spaces; those of a
    /// provider's preset are then not asked for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.defaults = self.defaults.scope(scope);
        self
    }

    /// A resource to ask for where a [`TokenRequest`] names none (RFC 8707).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.defaults = self.defaults.resource(resource);
        self
    }

    /// The `audience` to ask for where a [`TokenRequest`] names none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.defaults = self.defaults.audience(audience);
        self
    }

    /// A further parameter of every token request.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.defaults = self.defaults.parameter(name, value);
        self
    }

    /// Permits `http` to a token endpoint that is not loopback. It shows the client's secret to
    /// everybody on the way.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    pub(crate) fn preset_scope(mut self, scope: PresetScope) -> Self {
        self.preset_scope = scope;
        self
    }

    /// The client, over `transport`.
    ///
    /// # Errors
    /// An [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the token endpoint is
    /// not an `https` URL (loopback may be `http`), or has a fragment or credentials in it; if the
    /// client id or the secret is empty; if the id holds a `:` under `client_secret_basic_raw`; if
    /// a scope, resource or parameter is malformed; if the provider wants a scope and there is none.
    pub fn build(self, transport: impl HttpTransport) -> Result<ClientCredentials, Error> {
        let endpoint = TokenEndpoint::parse(&self.token_endpoint, self.allow_http)?;
        if self.client_id.is_empty() {
            return Err(Error::configuration(
                "client id: expected one, got an empty text",
            ));
        }
        self.authentication.check(&self.client_id)?;
        let mut defaults = self.defaults.clone().build()?;
        if defaults.scopes().is_empty() {
            defaults = match self.preset_scope {
                PresetScope::None => defaults,
                PresetScope::Default(scope) => self.defaults.scope(scope).build()?,
                PresetScope::RequiredBy(provider) => {
                    return Err(Error::configuration(format!(
                        "scope: {provider} expects at least one, got none"
                    )));
                }
            };
        }
        endpoint.check_parameters(defaults.parameters().map(|(name, _)| name))?;
        Ok(ClientCredentials {
            endpoint,
            client_id: self.client_id,
            authentication: self.authentication,
            defaults,
            transport: Arc::new(transport),
        })
    }
}
