//! Configures a [`ClientCredentials`] source, and checks it.

use std::fmt;

use super::client_credentials::ClientCredentials;
use crate::{
    ClientAuthentication, Error, HttpTransport, TokenEndpoint, TokenEndpointBuilder, TokenRequest,
    TokenRequestBuilder,
};

/// Builds [`ClientCredentials`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone)]
pub struct ClientCredentialsBuilder {
    endpoint: TokenEndpointBuilder,
    defaults: TokenRequestBuilder,
    scope_if_none: Option<&'static str>,
    scope_required_by: Option<&'static str>,
}

impl ClientCredentials {
    /// Returns a builder for the client `client_id` of the authorization server at `token_endpoint`.
    pub fn builder(
        token_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        authentication: ClientAuthentication,
    ) -> ClientCredentialsBuilder {
        let endpoint = TokenEndpoint::builder(token_endpoint, authentication);
        ClientCredentialsBuilder::new(endpoint.client_id(client_id))
    }

    /// Returns a builder for the client `client_id` of the authorization server `issuer`, whose metadata
    /// tells the token endpoint: see [`TokenEndpoint::discover`].
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    /// let grant = ClientCredentials::discover("https://as.example.com", "my-client", authentication)
    ///     .scope("document_read")
    ///     .build(transport)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn discover(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        authentication: ClientAuthentication,
    ) -> ClientCredentialsBuilder {
        let endpoint = TokenEndpoint::discover(issuer, authentication);
        ClientCredentialsBuilder::new(endpoint.client_id(client_id))
    }
}

impl ClientCredentialsBuilder {
    fn new(endpoint: TokenEndpointBuilder) -> Self {
        Self {
            endpoint,
            defaults: TokenRequest::builder(),
            scope_if_none: None,
            scope_required_by: None,
        }
    }

    /// Sets the token endpoint's URL. Replaces that of a provider's preset.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.url(url);
        self
    }

    /// Sets the URL of the revocation endpoint: see [`TokenEndpointBuilder::revocation_endpoint`].
    #[must_use]
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.revocation_endpoint(url);
        self
    }

    /// Sets the client's authentication. Replaces that of a provider's preset.
    #[must_use]
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.endpoint = self.endpoint.authentication(authentication);
        self
    }

    /// Adds scopes, separated by spaces, to request where a [`TokenRequest`] names none. They
    /// replace the scope of a provider's preset.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.defaults = self.defaults.scope(scope);
        self
    }

    /// Adds a resource to request where a [`TokenRequest`] names none (RFC 8707).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.defaults = self.defaults.resource(resource);
        self
    }

    /// Sets the `audience` to request where a [`TokenRequest`] names none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.defaults = self.defaults.audience(audience);
        self
    }

    /// Adds a parameter to every token request that does not set it. The name `resource` is permitted,
    /// also several times, for resources that are no URIs.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.defaults = self.defaults.parameter(name, value);
        self
    }

    /// Permits `http` to a token endpoint that is not on loopback. The client's secret is then
    /// visible on the network path. Default: `false`.
    #[must_use]
    pub fn danger_allow_http(mut self, allow: bool) -> Self {
        self.endpoint = self.endpoint.danger_allow_http(allow);
        self
    }

    /// Accepts another `token_type` than `Bearer`, in any case, for a server that issues bearer tokens
    /// under another name: `BearerToken` (Apigee), `Application Access Token` (eBay). The token is
    /// sent as `Bearer`. Call this once for each type. Default: none.
    ///
    /// A response without a `token_type` counts as `Bearer`, and a warning is logged once. Every other
    /// type is an error (RFC 6749 §7.1): the API may require more than the token, as with `DPoP`.
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// # let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    /// let grant = ClientCredentials::builder("https://as.example.com/token", "id", authentication)
    ///     .accept_token_type("BearerToken")
    ///     .build(transport)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn accept_token_type(mut self, token_type: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.accept_token_type(token_type);
        self
    }

    /// Sets the `User-Agent` of the token requests. It takes precedence over one that the client of
    /// the transport adds by default. Default: `auth-core/` and the version of this crate, unless the
    /// transport [sets one](HttpTransport::sets_user_agent).
    #[must_use]
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.user_agent(value);
        self
    }

    /// Sends no `User-Agent` of this crate, so that a layer below `TowerTransport` can add one where
    /// there is none.
    #[must_use]
    pub fn no_user_agent(mut self) -> Self {
        self.endpoint = self.endpoint.no_user_agent();
        self
    }

    /// Sets whether the form holds `client_id`: see
    /// [`TokenEndpointBuilder::client_id_in_form`].
    #[must_use]
    pub fn client_id_in_form(mut self, send: bool) -> Self {
        self.endpoint = self.endpoint.client_id_in_form(send);
        self
    }

    /// Sets the issuer of the authorization server, for the audience of assertions: see
    /// [`TokenEndpointBuilder::issuer`].
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.issuer(issuer);
        self
    }

    /// Adds a header to each token request: see [`TokenEndpointBuilder::header`].
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.header(name, value);
        self
    }

    /// Sets the scope to request if the caller names none.
    pub(crate) fn scope_if_none(mut self, scope: Option<&'static str>) -> Self {
        self.scope_if_none = scope;
        self
    }

    /// Requires the caller to name a scope. The error names `provider`.
    pub(crate) fn scope_required_by(mut self, provider: Option<&'static str>) -> Self {
        self.scope_required_by = provider;
        self
    }

    /// Builds the source, which sends its token requests over `transport`.
    ///
    /// # Errors
    /// Those of [`TokenEndpointBuilder::build`], and an
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) error if
    ///
    /// - a scope, resource or parameter is malformed
    /// - the provider requires a scope and there is none
    /// - the token endpoint's query contains a parameter that is also set here
    pub fn build(self, transport: impl HttpTransport) -> Result<ClientCredentials, Error> {
        let endpoint = self.endpoint.build(transport)?;
        let mut defaults = self.defaults.clone().build()?;
        if defaults.scopes().is_empty() {
            if let Some(provider) = self.scope_required_by {
                return Err(Error::configuration(format!(
                    "scope: {provider} requires at least one, got none; name it with scope()"
                )));
            }
            if let Some(scope) = self.scope_if_none {
                defaults = self.defaults.scope(scope).build()?;
            }
        }
        ClientCredentials::new(endpoint, defaults)
    }
}

impl fmt::Debug for ClientCredentialsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentialsBuilder")
            .field("endpoint", &self.endpoint)
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}
