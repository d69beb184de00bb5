//! Assertions of a function.

use std::{fmt, future::Future};

use async_trait::async_trait;

use super::{context::AssertionContext, source::AssertionSource, text::Assertion};
use crate::Error;

/// Makes assertions by a function: see [`assertion_fn`].
#[derive(Clone)]
pub struct AssertionFn<F>(F);

/// Makes assertions by a function, which is called anew at each attempt of a token request.
///
/// ```
/// use auth_core::{Assertion, AssertionContext, ClientAuthentication, assertion_fn};
///
/// # async fn from_metadata_server(_audience: &str) -> Result<String, auth_core::Error> { Ok("a.b.c".into()) }
/// let source = assertion_fn(|context: AssertionContext| async move {
///     Assertion::new(from_metadata_server(context.token_endpoint()).await?)
/// });
/// let authentication = ClientAuthentication::client_assertion(source);
/// ```
pub fn assertion_fn<F, Fut>(make: F) -> AssertionFn<F>
where
    F: Fn(AssertionContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Assertion, Error>> + Send,
{
    AssertionFn(make)
}

#[async_trait]
impl<F, Fut> AssertionSource for AssertionFn<F>
where
    F: Fn(AssertionContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Assertion, Error>> + Send,
{
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        (self.0)(context.clone()).await
    }
}

impl<F> fmt::Debug for AssertionFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionFn").finish_non_exhaustive()
    }
}
