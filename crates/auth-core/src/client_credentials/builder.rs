//! Configures a [`ClientCredentials`] source, and checks it.

use std::{fmt, sync::Arc};

use http::HeaderValue;

use super::{
    denied::DeniedCredentials,
    grant::ClientCredentials,
    http_request::{DEFAULT_USER_AGENT, RequestSettings},
};
use crate::{
    ClientAuthentication, Error, HttpTransport, TokenRequest, TokenRequestBuilder,
    credential_syntax::check_credential, redact::without_secrets, token_endpoint::TokenEndpointUrl,
};

/// Builds [`ClientCredentials`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone)]
pub struct ClientCredentialsBuilder {
    token_endpoint: String,
    client_id: String,
    authentication: ClientAuthentication,
    defaults: TokenRequestBuilder,
    scope_if_none: Option<&'static str>,
    scope_required_by: Option<&'static str>,
    allow_http: bool,
    accepted_types: Vec<String>,
    user_agent: UserAgent,
    client_id_in_form: bool,
}

/// The `User-Agent` of the token requests.
#[derive(Clone, Debug)]
enum UserAgent {
    /// That of this crate, unless the transport sets one.
    Default,
    Set(String),
    /// None. The transport may set one.
    Omitted,
}

impl ClientCredentials {
    /// Returns a builder for the client `client_id` of the authorization server at `token_endpoint`.
    pub fn builder(
        token_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        authentication: ClientAuthentication,
    ) -> ClientCredentialsBuilder {
        ClientCredentialsBuilder {
            token_endpoint: token_endpoint.into(),
            client_id: client_id.into(),
            authentication,
            defaults: TokenRequest::builder(),
            scope_if_none: None,
            scope_required_by: None,
            allow_http: false,
            accepted_types: Vec::new(),
            user_agent: UserAgent::Default,
            client_id_in_form: false,
        }
    }
}

impl ClientCredentialsBuilder {
    /// Sets the token endpoint's URL. Replaces that of a provider's preset.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = url.into();
        self
    }

    /// Sets the client's authentication. Replaces that of a provider's preset.
    #[must_use]
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
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
        self.allow_http = allow;
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
        self.accepted_types.push(token_type.into());
        self
    }

    /// Sets the `User-Agent` of the token requests. It takes precedence over one that the client of
    /// the transport adds by default. Default: `auth-core/` and the version of this crate, unless the
    /// transport [sets one](HttpTransport::sets_user_agent).
    #[must_use]
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.user_agent = UserAgent::Set(value.into());
        self
    }

    /// Sends no `User-Agent` of this crate, so that a layer below `TowerTransport` can add one where
    /// there is none.
    #[must_use]
    pub fn no_user_agent(mut self) -> Self {
        self.user_agent = UserAgent::Omitted;
        self
    }

    /// Sends `client_id` in the form as well if the client authenticates by HTTP Basic. Some servers
    /// require it. Default: `false`. With `client_secret_post` the form always holds it, once.
    #[must_use]
    pub fn client_id_in_form(mut self, send: bool) -> Self {
        self.client_id_in_form = send;
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
    /// An [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) error if
    ///
    /// - the token endpoint is not an `https` URL (`http` is allowed on loopback, or with
    ///   [`danger_allow_http`](Self::danger_allow_http)), or contains a fragment, a user or a
    ///   password
    /// - the token endpoint's query contains a parameter that the token request also sends
    /// - the client id or the secret is empty, or contains a character that no credential has: see
    ///   [`ClientSecret`](crate::ClientSecret#characters). The same rules hold for the id.
    /// - the `User-Agent` is empty, or contains something else than visible ASCII and spaces within
    /// - the id contains a `:` and the authentication is `client_secret_basic_raw`
    /// - a scope, resource or parameter is malformed
    /// - the provider requires a scope and there is none
    /// - a token type to accept is blank
    pub fn build(self, transport: impl HttpTransport) -> Result<ClientCredentials, Error> {
        let endpoint = TokenEndpointUrl::parse(&self.token_endpoint, self.allow_http)?;
        if self.client_id.is_empty() {
            return Err(Error::configuration(
                "client id: expected an id, got an empty text",
            ));
        }
        check_credential("client id", &self.client_id)?;
        self.authentication.check(&self.client_id)?;
        let user_agent = match &self.user_agent {
            UserAgent::Default if transport.sets_user_agent() => None,
            UserAgent::Default => Some(HeaderValue::from_static(DEFAULT_USER_AGENT)),
            UserAgent::Set(value) => Some(user_agent(value)?),
            UserAgent::Omitted => None,
        };
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
        endpoint.check_parameters(defaults.parameters().map(|(name, _)| name))?;
        let accepted_types = self.accepted_types.iter().map(|accepted| accepted.trim());
        if accepted_types.clone().any(str::is_empty) {
            return Err(Error::configuration(
                "accept_token_type: expected a token type such as \"BearerToken\", got a blank text",
            ));
        }
        let accepted_types = accepted_types.map(Into::into).collect();
        Ok(ClientCredentials {
            endpoint,
            client_id: self.client_id,
            authentication: self.authentication,
            defaults,
            settings: RequestSettings {
                user_agent,
                client_id_in_form: self.client_id_in_form,
            },
            transport: Arc::new(transport),
            accepted_types,
            warnings: Arc::default(),
            denied: DeniedCredentials::none(),
            issued: Arc::default(),
        })
    }
}

fn user_agent(value: &str) -> Result<HeaderValue, Error> {
    let is_valid = value.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    let value = Some(value).filter(|value| is_valid && !value.is_empty() && value.trim() == *value);
    value
        .and_then(|value| HeaderValue::from_str(value).ok())
        .ok_or_else(|| {
            Error::configuration(
                "user agent: expected visible ASCII, with spaces only within (RFC 9110 section \
                 10.1.5), got another text",
            )
        })
}

impl fmt::Debug for ClientCredentialsBuilder {
    /// Shows the token endpoint without its query, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentialsBuilder")
            .field("token_endpoint", &without_secrets(&self.token_endpoint))
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("defaults", &self.defaults)
            .field("user_agent", &self.user_agent)
            .field("client_id_in_form", &self.client_id_in_form)
            .field("danger_allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}
