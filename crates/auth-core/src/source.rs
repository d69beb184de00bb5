//! Where tokens come from.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Error, SharedKey, TokenRequest, TokenResponse};

/// Mints access tokens: one call is one token request.
///
/// [`ClientCredentials`](crate::ClientCredentials) is the one this crate comes with; a metadata
/// server or a vault can be another.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Error, SharedKey, TokenRequest, TokenResponse, TokenSource, async_trait};
///
/// #[derive(Debug)]
/// struct Fixed;
///
/// #[async_trait]
/// impl TokenSource for Fixed {
///     async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
///         Ok(TokenResponse::bearer("abc")?.expires_in(Duration::from_secs(600)))
///     }
///
///     // only for a cache with a shared store: what tells this source's tokens from all others
///     fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
///         Some(SharedKey::new(["https://auth.example.com/token", "my-client"], request))
///     }
/// }
/// ```
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Asks for a token, once. When and how often to ask again is the cache's business.
    ///
    /// # Errors
    /// Whatever keeps it from a token; the [kind](crate::ErrorKind) decides how the cache backs off.
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error>;

    /// Under what [processes share](crate::SharedTokenStore) the token for `request`. `None`, the
    /// default: each has its own.
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
