//! The token source of the refresh token grant (RFC 6749 §6).

use std::sync::Arc;

use async_trait::async_trait;

use super::{refresh_token_store::RefreshTokenStore, rotation::Rotation, subject::Subject};
use crate::{
    AccessToken, Dpop, Error, TokenEndpoint, TokenRequest, TokenResponse, TokenSource,
    shared_store::SharedKey,
};

/// Requests access tokens by the refresh token of a user
/// ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)), which may be replaced at each
/// token request (rotation, [RFC 9700
/// §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2)).
///
/// Servers that rotate refresh tokens revoke all tokens of the user if an old one is presented. This
/// source is made so that this does not happen:
///
/// - **A new refresh token is saved before the access token is handed out.** If
///   [`save`](RefreshTokenStore::save) fails, the token request fails. Both tokens are kept in memory.
///   The next attempt saves the refresh token and hands the access token out, without a token request.
///   A usable access token stays in use meanwhile. The store is therefore at most one rotation behind
///   the server.
/// - **A token request that was sent is finished**, in a task of its own, even if its caller or the
///   cache is gone or the attempt timeout is over: for up to 20 s longer. The next attempt uses its
///   result.
/// - **One token request is in flight at a time**, of all clones and of all
///   [`TokenRequest`]s of this source.
///
/// A process that crashes, or a connection that breaks, after the server has exchanged the token and
/// before it is saved, can still lose the new token. Many servers accept the old token for some seconds more, or once more
/// (a grace period or reuse interval): set it to at least 30 s.
///
/// **Several processes** with one refresh token need a store that all of them read, and a
/// [shared store](crate::TokenCacheBuilder::shared_store) of the cache, whose lease lets one of them send
/// a token request at a time, and a [subject](Self::with_subject). If the shared store fails, each
/// process requests a token, and the server may see one refresh token twice. Without a shared store give
/// each process a refresh token of its own.
///
/// If the server denies the refresh token (`invalid_grant`), the user has to authorize the client again.
/// The cache backs off, and asks the store at most once a second whether there is another token.
///
/// ```
/// use auth_core::{
///     ClientAuthentication, Error, HttpTransport, RefreshToken, RefreshTokenStore, TokenCache,
///     TokenEndpoint,
/// };
///
/// # fn example(transport: impl HttpTransport, store: impl RefreshTokenStore) -> Result<(), Error> {
/// let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
/// let endpoint = TokenEndpoint::builder("https://as.example.com/token", authentication)
///     .client_id("my-client")
///     .build(transport)?;
/// let tokens = TokenCache::new(RefreshToken::new(endpoint, store)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RefreshToken {
    rotation: Arc<Rotation>,
    defaults: TokenRequest,
    subject: Option<Subject>,
}

impl RefreshToken {
    /// Creates the grant. `store` keeps the refresh token.
    ///
    /// # Errors
    /// If the query of the token endpoint contains the parameter `refresh_token`.
    pub fn new(endpoint: TokenEndpoint, store: impl RefreshTokenStore) -> Result<Self, Error> {
        let grant = Self {
            rotation: Arc::new(Rotation::new(endpoint, store)),
            defaults: TokenRequest::default(),
            subject: None,
        };
        grant.checked()
    }

    /// Sets what is requested where a [`TokenRequest`] names none. Default: nothing, the server issues
    /// what the user granted. Scopes may be fewer than those (RFC 6749 §6).
    ///
    /// # Errors
    /// If a parameter of `defaults` is in the query of the token endpoint.
    pub fn with_defaults(mut self, defaults: TokenRequest) -> Result<Self, Error> {
        self.defaults = defaults;
        self.checked()
    }

    /// Names the user, so that processes can share the access token in a
    /// [shared store](crate::TokenCacheBuilder::shared_store). Default: none, and each process requests
    /// its own. Without this text the tokens of two users would have the same key: see
    /// [`JwtBearer::with_subject`](crate::JwtBearer::with_subject).
    ///
    /// # Errors
    /// If the text is blank.
    pub fn with_subject(mut self, subject: impl Into<String>) -> Result<Self, Error> {
        self.subject = Some(Subject::new(subject)?);
        Ok(self)
    }

    fn checked(self) -> Result<Self, Error> {
        let form = Rotation::form("");
        let endpoint = self.rotation.endpoint();
        endpoint.check_parameters(&form, &self.defaults)?;
        Ok(self)
    }
}

#[async_trait]
impl TokenSource for RefreshToken {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.rotation.exchange(request.or(&self.defaults)).await
    }

    /// Returns a key if the grant has a [subject](RefreshToken::with_subject). It is the same in every
    /// process that has the same subject, client, token endpoint, authentication method and headers.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let form = self.subject.as_ref()?.named_in(Rotation::form(""));
        let request = request.or(&self.defaults);
        Some(self.rotation.endpoint().shared_key(&form, &request))
    }

    /// Returns `request`, completed by the defaults.
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.or(&self.defaults)
    }

    /// Loads the refresh token, and compares a keyed hash of it, and the version of the client's
    /// credentials, with those of the last token request that failed because of them.
    async fn credentials_changed(&self) -> bool {
        self.rotation.credentials_changed().await
    }
    /// Revokes the access token. The server may revoke the refresh token as well (RFC 7009 §2.1).
    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        self.rotation.endpoint().revoke(token.secret()).await
    }

    fn dpop(&self) -> Option<Dpop> {
        self.rotation.endpoint().dpop()
    }
}
