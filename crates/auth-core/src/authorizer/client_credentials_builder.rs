//! Builds an [`Authorizer`] for one client of one authorization server.

use super::{authorizer::Authorizer, settings::Settings};
use crate::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, DpopProver, Error,
    HttpTransport, TokenCache, TokenRequest,
};

/// Builds an [`Authorizer`] for one client of one authorization server. Invalid settings are errors
/// of [`build`](Self::build).
///
/// It combines [`ClientCredentials`], [`TokenCache`] and [`Authorizer::builder`], with the defaults
/// of each. Use these three for a setting that this builder lacks.
#[derive(Clone, Debug)]
pub struct ClientCredentialsAuthorizerBuilder {
    grant: ClientCredentialsBuilder,
    settings: Settings,
}

impl Authorizer {
    /// Starts with a token endpoint's URL, a client id and the client's authentication, for the
    /// client credentials grant
    /// ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
    ///
    /// A [`ClientSecret`](crate::ClientSecret) means `client_secret_basic`. Pass a
    /// [`ClientAuthentication`] for another method.
    ///
    /// ```
    /// use auth_core::{Authorizer, ClientSecret};
    /// # use auth_core::{Error, HttpTransport};
    ///
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// # let secret = ClientSecret::from("s3cr3t");
    /// let authorizer = Authorizer::client_credentials("https://as.example.com/token", "my-client", secret)
    ///     .scope("document_read")
    ///     .origin("https://api.example.com")
    ///     .build(transport)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_credentials(
        token_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> ClientCredentialsAuthorizerBuilder {
        ClientCredentialsAuthorizerBuilder {
            grant: ClientCredentials::builder(token_endpoint, client_id, authentication.into()),
            settings: Settings::default(),
        }
    }
}

impl ClientCredentialsAuthorizerBuilder {
    /// Adds scopes to request, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.grant = self.grant.scope(scope);
        self
    }

    /// Sets the `audience` to request.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.grant = self.grant.audience(audience);
        self
    }

    /// Adds a resource to request (RFC 8707).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.grant = self.grant.resource(resource);
        self
    }

    /// Adds a parameter to every token request: see [`ClientCredentialsBuilder::parameter`].
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.grant = self.grant.parameter(name, value);
        self
    }

    /// Accepts another `token_type` than `Bearer`: see
    /// [`ClientCredentialsBuilder::accept_token_type`].
    #[must_use]
    pub fn accept_token_type(mut self, token_type: impl Into<String>) -> Self {
        self.grant = self.grant.accept_token_type(token_type);
        self
    }

    /// Sets the `User-Agent` of the token requests: see
    /// [`ClientCredentialsBuilder::user_agent`].
    #[must_use]
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.grant = self.grant.user_agent(value);
        self
    }

    /// Sends `client_id` in the form as well: see
    /// [`ClientCredentialsBuilder::client_id_in_form`].
    #[must_use]
    pub fn client_id_in_form(mut self, send: bool) -> Self {
        self.grant = self.grant.client_id_in_form(send);
        self
    }

    /// Binds the token to a key, so that each request carries a proof of that key (RFC 9449): see
    /// [`TokenEndpointBuilder::dpop`](crate::TokenEndpointBuilder::dpop).
    #[must_use]
    pub fn dpop(mut self, prover: impl DpopProver) -> Self {
        self.grant = self.grant.dpop(prover);
        self
    }

    /// Adds an origin that may receive the token: see
    /// [`AuthorizerBuilder::origin`](crate::AuthorizerBuilder::origin).
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.add(origin, false, None);
        self
    }

    /// Adds the origin of a URL of the API: see
    /// [`AuthorizerBuilder::origin_of`](crate::AuthorizerBuilder::origin_of).
    #[must_use]
    pub fn origin_of(mut self, url: impl Into<String>) -> Self {
        self.settings.add(url, true, None);
        self
    }

    /// Adds an origin whose requests carry another token: see
    /// [`AuthorizerBuilder::origin_with`](crate::AuthorizerBuilder::origin_with).
    #[must_use]
    pub fn origin_with(mut self, origin: impl Into<String>, request: TokenRequest) -> Self {
        self.settings.add(origin, false, Some(request));
        self
    }

    /// Builds the authorizer, which sends its token requests over `transport`.
    ///
    /// # Errors
    /// Those of [`ClientCredentialsBuilder::build`] and
    /// [`AuthorizerBuilder::build`](crate::AuthorizerBuilder::build).
    pub fn build(self, transport: impl HttpTransport) -> Result<Authorizer, Error> {
        let grant = self.grant.build(transport)?;
        self.settings.build(TokenCache::new(grant).into())
    }
}
