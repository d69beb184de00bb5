//! The time by which a caller expects its response.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use crate::{
    Error, ErrorKind,
    time::{AnyClock, Sleep},
};

/// The time by which the caller of a request expects its response, as far as the adapter knows it from
/// the request: a gRPC call's `grpc-timeout`, or a request's own timeout.
///
/// An adapter ends everything that it does for the request by then: waiting for a token or for a
/// replacement, waiting for readiness, holding a response, and the replay. A request that is sent later than it was
/// received carries what is [left](Self::remaining).
pub struct Deadline {
    clock: AnyClock,
    /// By the monotonic clock.
    at: Duration,
    sleep: Option<Sleep>,
}

impl Deadline {
    pub(super) fn after(timeout: Duration, clock: &AnyClock) -> Self {
        Self {
            clock: clock.clone(),
            at: clock.now().monotonic.saturating_add(timeout),
            sleep: None,
        }
    }

    /// Returns the time left. `None` if the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.at.checked_sub(self.clock.now().monotonic)?;
        (!left.is_zero()).then_some(left)
    }

    /// Waits for the deadline. Outside a tokio runtime, where nothing wakes the task, it is only
    /// checked whether the deadline has passed.
    pub fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.remaining().is_none() {
            return Poll::Ready(());
        }
        if self.sleep.is_none() && tokio::runtime::Handle::try_current().is_err() {
            return Poll::Pending;
        }
        let (clock, at) = (&self.clock, self.at);
        let sleep = self.sleep.get_or_insert_with(|| clock.sleep_until(at));
        sleep.as_mut().poll(cx)
    }

    /// Returns the output of `future`, or `None` if the deadline passes first.
    pub async fn bound<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll_passed(cx).map(|()| None),
        })
        .await
    }

    /// Returns the error for a request whose deadline passed, of [`ErrorKind::Timeout`]. `setting` is
    /// the caller's setting, and `moment` begins with "while" or "before".
    #[must_use]
    pub fn error(setting: &str, moment: &str) -> Error {
        Error::new(
            ErrorKind::Timeout,
            format!(
                "the caller's deadline ({setting}) passed {moment}; the token request in flight, if \
                 any, continues for later requests"
            ),
        )
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
