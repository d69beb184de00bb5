//! The future of a read. It is written out, so that a read with a usable token is a function call.
//!
//! The compiler does not inline the future of an `async fn`, and writes its state and its output to memory.
//! Here the output of a hit is a pointer in a register. The state of a wait is within the future and not in a
//! box: thousands of waiters may wake at the same time, and each would free its box.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::inner::Inner;
use crate::{AccessToken, Error};

pin_project! {
    /// Reads the current token when it is polled. If there is no usable one, waits with the future that
    /// `wait` makes.
    pub(super) struct Reading<'a, F, W> {
        cache: &'a Arc<Inner>,
        wait: F,
        // `None` until a poll has found no usable token
        #[pin]
        waiting: Option<W>,
    }
}

impl<'a, F, W> Reading<'a, F, W>
where
    F: Fn(&'a Arc<Inner>) -> W,
    W: Future<Output = Result<AccessToken, Error>>,
{
    #[inline]
    pub(super) fn new(cache: &'a Arc<Inner>, wait: F) -> Self {
        Self {
            cache,
            wait,
            waiting: None,
        }
    }

    #[cold]
    fn wait(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<AccessToken, Error>> {
        let mut this = self.project();
        loop {
            match this.waiting.as_mut().as_pin_mut() {
                Some(waiting) => return waiting.poll(cx),
                None => this.waiting.set(Some((this.wait)(this.cache))),
            }
        }
    }
}

impl<'a, F, W> Future for Reading<'a, F, W>
where
    F: Fn(&'a Arc<Inner>) -> W,
    W: Future<Output = Result<AccessToken, Error>>,
{
    type Output = Result<AccessToken, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiting.is_none()
            && let Some(token) = self.cache.token()
        {
            return Poll::Ready(Ok(token));
        }
        self.wait(cx)
    }
}
