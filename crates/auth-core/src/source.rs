//! The interface of token sources.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Error, TokenRequest, TokenResponse, shared_store::SharedKey};

/// Obtains access tokens: one call sends one token request.
///
/// [`ClientCredentials`](crate::ClientCredentials) implements it. Implement it for other grants, a
/// metadata server or a vault.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Error, TokenRequest, TokenResponse, TokenSource, async_trait, shared_store::SharedKey};
///
/// #[derive(Debug)]
/// struct Fixed;
///
/// #[async_trait]
/// impl TokenSource for Fixed {
///     async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
///         Ok(TokenResponse::bearer("abc")?.with_expires_in(Duration::from_secs(600)))
///     }
///
///     // only for a cache with a shared store: distinguishes this source's tokens from all others
///     fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
///         Some(SharedKey::new(["https://auth.example.com/token", "my-client"], request))
///     }
/// }
/// ```
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Sends one token request. The cache decides when to call this again.
    ///
    /// # Errors
    /// If there is no token. The [kind](crate::ErrorKind) of the error decides how the cache backs
    /// off.
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error>;

    /// Returns the key under which [processes share](crate::shared_store::SharedTokenStore) the token for
    /// `request`. Default: `None`, each process requests its own token.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let _ = request;
        None
    }
}

#[async_trait]
impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        (**self).fetch(request).await
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        (**self).shared_key(request)
    }
}
