//! The interface of what makes assertions.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{context::AssertionContext, text::Assertion};
use crate::Error;

/// Makes assertions: of the client, at its authentication
/// ([RFC 7521 §4.2](https://www.rfc-editor.org/rfc/rfc7521#section-4.2)), and of a subject, as a grant
/// ([§4.1](https://www.rfc-editor.org/rfc/rfc7521#section-4.1)).
///
/// It is asked anew at each attempt of a token request, because authorization servers accept an
/// assertion once. [`AssertionFile`](super::AssertionFile) reads a file, and
/// [`assertion_fn`](super::assertion_fn) calls a function. The crate `auth-jose` signs.
///
/// ```
/// use auth_core::{Assertion, AssertionContext, AssertionSource, Error, async_trait};
///
/// /// Asks a service that signs.
/// #[derive(Debug)]
/// struct Signs;
///
/// #[async_trait]
/// impl AssertionSource for Signs {
///     async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
///         # async fn sign(_client: Option<&str>, _audience: &str) -> String { "a.b.c".into() }
///         Assertion::new(sign(context.client_id(), context.token_endpoint()).await)
///     }
/// }
/// ```
#[async_trait]
pub trait AssertionSource: fmt::Debug + Send + Sync + 'static {
    /// Makes an assertion for one attempt of a token request.
    ///
    /// It is bounded by the attempt, and a panic is an error.
    ///
    /// # Errors
    /// If there is no assertion. The token request fails with this error, and the
    /// [kind](crate::ErrorKind) of the error decides how the cache backs off.
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error>;

    /// Returns the version of the key or the file that the next assertion is made with. Default:
    /// `None`, not known.
    ///
    /// After a denial a cache backs off for 30 s to 5 min, and asks for this at most once a second
    /// while a token is needed. If it differs from the [version](Assertion::version) of the assertion
    /// that was denied, the next token request is made at once. If only one of the two is known, they
    /// do not differ.
    async fn version(&self) -> Option<u64> {
        None
    }
}

#[async_trait]
impl<S: AssertionSource + ?Sized> AssertionSource for Arc<S> {
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        (**self).assertion(context).await
    }

    async fn version(&self) -> Option<u64> {
        (**self).version().await
    }
}
