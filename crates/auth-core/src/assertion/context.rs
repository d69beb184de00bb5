//! The token request for which an assertion is made.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{TokenRequest, redact::without_secrets};

/// The token request for which an assertion is made: what the claims of a JWT are taken from.
///
/// ```
/// use auth_core::{AssertionContext, TokenRequest};
///
/// let context = AssertionContext::new("https://as.example.com/token")
///     .with_client_id("my-client")
///     .with_request(TokenRequest::builder().scope("orders").build()?);
/// assert_eq!(context.client_id(), Some("my-client"));
/// assert_eq!(context.request().scopes().to_string(), "orders");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AssertionContext {
    token_endpoint: Arc<str>,
    issuer: Option<Arc<str>>,
    client_id: Option<Arc<str>>,
    grant_type: Arc<str>,
    request: TokenRequest,
    now: Duration,
}

impl AssertionContext {
    /// Describes a token request of the client credentials grant at `token_endpoint`, at the time of
    /// the system's clock.
    pub fn new(token_endpoint: impl Into<Arc<str>>) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            token_endpoint: token_endpoint.into(),
            issuer: None,
            client_id: None,
            grant_type: "client_credentials".into(),
            request: TokenRequest::default(),
            now: now.unwrap_or_default(),
        }
    }

    /// Sets the issuer of the authorization server.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the client's id.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<Arc<str>>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Sets the grant type. Default: `client_credentials`.
    #[must_use]
    pub fn with_grant_type(mut self, grant_type: impl Into<Arc<str>>) -> Self {
        self.grant_type = grant_type.into();
        self
    }

    /// Sets the request for the token. Default: an empty one.
    #[must_use]
    pub fn with_request(mut self, request: TokenRequest) -> Self {
        self.request = request;
        self
    }

    /// Sets the time, since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn with_time(mut self, since_1970: Duration) -> Self {
        self.now = since_1970;
        self
    }

    /// Returns the URL of the token endpoint, with its query if it has one: a server that compares the
    /// audience of an assertion with its token endpoint compares the whole URL. If the query holds a key
    /// that an assertion must not show, use the [issuer](Self::issuer) as the audience.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    /// Returns the issuer of the authorization server, if it is known
    /// ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns the client's id, if the client has one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns the `grant_type` of the token request. It is empty if the client authenticates to
    /// [revoke](crate::TokenCache::revoke) a token.
    #[must_use]
    pub fn grant_type(&self) -> &str {
        &self.grant_type
    }

    /// Returns the request for the token, completed by the defaults of its source.
    #[must_use]
    pub fn request(&self) -> &TokenRequest {
        &self.request
    }

    /// Returns the time of the token request, since 1970-01-01 00:00:00 UTC, by the clock of the
    /// cache.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.now
    }
}

impl fmt::Debug for AssertionContext {
    /// Shows the token endpoint without its query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionContext")
            .field("token_endpoint", &without_secrets(&self.token_endpoint))
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("grant_type", &self.grant_type)
            .field("request", &self.request)
            .field("now", &self.now)
            .finish()
    }
}
