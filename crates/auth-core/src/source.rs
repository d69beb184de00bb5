//! The interface of token sources.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{AccessToken, Error, TokenRequest, TokenResponse, shared_store::SharedKey};

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
    /// It must not wait for a token of the same [`TokenCaches`](crate::TokenCaches): the token requests
    /// at once are [limited](crate::TokenCachesBuilder::max_concurrent_requests), and those in flight
    /// would wait for those in the queue. A cache of its own is right for such a token.
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

    /// Returns the request that is sent for `request`: the same request, completed by the defaults
    /// of this source. Default: `request` itself.
    ///
    /// [`TokenCaches`](crate::TokenCaches) keeps one token for each effective request, and
    /// [`fetch`](Self::fetch) receives the effective request. The result has to be the same each
    /// time, and the effective request of an effective request has to be itself. A source that wraps
    /// another one forwards this method.
    ///
    /// It is called when a `TokenRequest` is used for the first time, and must not block.
    ///
    /// ```
    /// use auth_core::{Error, TokenRequest, TokenResponse, TokenSource, async_trait};
    ///
    /// /// Removes the audience, which the inner source does not know.
    /// #[derive(Debug)]
    /// struct WithoutAudience<S>(S);
    ///
    /// #[async_trait]
    /// impl<S: TokenSource> TokenSource for WithoutAudience<S> {
    ///     async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
    ///         self.0.fetch(request).await
    ///     }
    ///
    ///     fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
    ///         let scope = request.scopes().to_string();
    ///         // a scope that was valid stays valid
    ///         let without = TokenRequest::builder().scope(scope).build();
    ///         self.0.effective_request(&without.unwrap_or_default())
    ///     }
    ///
    ///     async fn credentials_changed(&self) -> bool {
    ///         self.0.credentials_changed().await
    ///     }
    /// }
    /// ```
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.clone()
    }

    /// Returns whether the credentials that the next token request would use differ from those of
    /// the last token request that failed because of them. Default: `false`.
    ///
    /// After a denial a cache backs off for 30 s to 5 min. While it is in use, it calls this method
    /// at most once a second, in the background, for at most 10 s. If the result is `true`, the
    /// backoff ends, and the next token request is made at once. If the result is `true` each time,
    /// the interval doubles from the third time on, up to 5 min. A source whose secret or key can
    /// change while the program runs implements this method; a source that wraps another one
    /// forwards it. Keep a keyed hash of the credentials to compare with, not a copy.
    async fn credentials_changed(&self) -> bool {
        false
    }

    /// Revokes a token that this source has obtained
    /// ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)), for
    /// [`TokenCache::revoke`](crate::TokenCache::revoke). Default: an error, because the source does not
    /// know how.
    ///
    /// A token that the server does not know counts as revoked. The call is bounded by the attempt
    /// timeout, and a panic is an error. A source that wraps another one forwards it.
    ///
    /// # Errors
    /// If the token may not have been revoked.
    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        let _ = token;
        Err(Error::configuration(
            "revocation: expected a token source that revokes its tokens, got one that does not; \
             implement TokenSource::revoke",
        ))
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

    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        (**self).effective_request(request)
    }

    async fn credentials_changed(&self) -> bool {
        (**self).credentials_changed().await
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        (**self).revoke(token).await
    }
}
