//! The token source of the client credentials grant (RFC 6749 §4.4).

use async_trait::async_trait;

use crate::{
    AccessToken, Error, Form, TokenEndpoint, TokenRequest, TokenResponse, TokenSource,
    shared_store::SharedKey,
};

/// Requests access tokens from a token endpoint by the client credentials grant
/// ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
///
/// Each call of [`fetch`](TokenSource::fetch) sends one token request. A
/// [`TokenCache`](crate::TokenCache) decides when.
///
/// ```
/// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport};
/// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
/// let grant = ClientCredentials::builder(
///     "https://as.example.com/oauth/token",
///     "my-client",
///     ClientAuthentication::client_secret_basic("s3cr3t"),
/// )
/// .scope("document_read")
/// .build(transport)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    endpoint: TokenEndpoint,
    defaults: TokenRequest,
}

impl ClientCredentials {
    /// Creates the grant for a token endpoint that was built on its own. `defaults` are requested where
    /// a [`TokenRequest`] names none.
    ///
    /// # Errors
    /// If the query of the token endpoint contains a parameter of `defaults`.
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenEndpoint, TokenRequest};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// // a sidecar that knows the client
    /// let endpoint = TokenEndpoint::builder("http://127.0.0.1:7164/token", ClientAuthentication::none())
    ///     .build(transport)?;
    /// let request = TokenRequest::builder().parameter("identity_provider", "maskinporten");
    /// let grant = ClientCredentials::new(endpoint, request.build()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(endpoint: TokenEndpoint, defaults: TokenRequest) -> Result<Self, Error> {
        endpoint.check_parameters(&form(), &defaults)?;
        Ok(Self { endpoint, defaults })
    }
}

fn form() -> Form {
    Form::new("client_credentials")
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = request.or(&self.defaults);
        let response = self.endpoint.request(&form(), &request).await?;
        // RFC 6749 section 4.4.3: it should not be there
        Ok(response.without_refresh_token())
    }

    /// Returns the same key in every process that has the same client id, token endpoint,
    /// authentication method and headers. The secret is not part of the key.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(
            self.endpoint
                .shared_key(&form(), &request.or(&self.defaults)),
        )
    }

    /// Returns `request`, completed by the builder's scope, resources, audience and parameters.
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.or(&self.defaults)
    }

    /// Reads the secret, and compares a keyed hash of it with that of the secret which was denied, or
    /// which could not be read. Of an assertion it compares the version.
    async fn credentials_changed(&self) -> bool {
        self.endpoint.credentials_changed(&[]).await
    }
    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        self.endpoint.revoke(token.secret()).await
    }
}
