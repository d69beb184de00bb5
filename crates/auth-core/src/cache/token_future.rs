//! The future of a read. It is written out, so that a read with a usable token is a function call.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::inner::Inner;
use crate::{AccessToken, Error};

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<AccessToken, Error>> + Send + 'a>>;

/// The future of [`TokenCache::token`](crate::TokenCache::token).
///
/// Reads the current token when it is polled. If there is a usable token, the first poll is ready, and
/// allocates nothing. Otherwise the first poll joins the token request in flight, or starts one.
///
/// ```
/// use auth_core::{AccessToken, Error, TokenCache, TokenFuture};
///
/// # async fn example(tokens: TokenCache) -> Result<(), Error> {
/// let reading: TokenFuture<'_> = tokens.token(); // neither reads nor requests a token
/// let token: AccessToken = reading.await?;
/// # Ok(())
/// # }
/// ```
// The compiler does not inline the future of an `async fn`, and writes its state and its output to memory.
// Here the output of a hit is a pointer in a register.
#[must_use = "futures do nothing unless polled or awaited"]
pub struct TokenFuture<'a> {
    cache: &'a Arc<Inner>,
    /// `None` until a poll has found no usable token.
    waiting: Option<Waiting<'a>>,
}

impl<'a> TokenFuture<'a> {
    #[inline]
    pub(super) fn new(cache: &'a Arc<Inner>) -> Self {
        Self {
            cache,
            waiting: None,
        }
    }

    #[cold]
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<AccessToken, Error>> {
        let cache = self.cache;
        let wait = || -> Waiting<'a> { Box::pin(cache.wait(|issued| issued.token().clone())) };
        self.waiting.get_or_insert_with(wait).as_mut().poll(cx)
    }
}

impl Future for TokenFuture<'_> {
    type Output = Result<AccessToken, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiting.is_none()
            && let Some(token) = self.cache.token()
        {
            return Poll::Ready(Ok(token));
        }
        self.wait(cx)
    }
}

impl fmt::Debug for TokenFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFuture")
            .field("is_waiting", &self.waiting.is_some())
            .finish_non_exhaustive()
    }
}
