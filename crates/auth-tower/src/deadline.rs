//! The deadline of a gRPC call, which its `grpc-timeout` sets. It bounds everything that the layer does
//! for the call.

use std::task::{Context, Poll};

use auth_core::{
    Authorizer, BoxError,
    adapter::{Attempt, Deadline, RequestHead, TrailingStatus},
};
use http::{HeaderMap, Method, Request, Uri};

use crate::grpc_timeout::{self, GRPC_TIMEOUT};

/// What the layer waits for.
#[derive(Clone, Copy)]
pub(crate) enum Awaited {
    Token,
    Readiness,
    Replacement,
    ReplayReadiness,
}

/// The deadline of a gRPC call, if it has one.
#[derive(Default)]
pub(crate) struct CallDeadline(Option<Deadline>);

impl CallDeadline {
    /// Reads the deadline from a request. Only a `POST` with the header is examined further.
    #[inline]
    pub(crate) fn of<B>(request: &Request<B>, authorizer: &Authorizer) -> Self {
        Self::of_head(
            request.method(),
            request.uri(),
            request.headers(),
            authorizer,
        )
    }

    #[inline]
    pub(crate) fn of_head(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        authorizer: &Authorizer,
    ) -> Self {
        if method != Method::POST || !headers.contains_key(GRPC_TIMEOUT) {
            return Self(None);
        }
        Self::of_timeout(uri, headers, authorizer)
    }

    #[cold]
    fn of_timeout(uri: &Uri, headers: &HeaderMap, authorizer: &Authorizer) -> Self {
        let timeout = match RequestHead::new(uri, headers).is_grpc() {
            true => headers.get(GRPC_TIMEOUT).and_then(grpc_timeout::parse),
            false => None,
        };
        Self(timeout.map(|timeout| authorizer.deadline(timeout)))
    }

    /// Reads the deadline from a gRPC request that is sent with a token and not recorded.
    #[inline]
    pub(crate) fn of_sent<B>(
        attempt: &Attempt,
        request: &Request<B>,
        authorizer: &Authorizer,
    ) -> Option<Box<Self>> {
        if !attempt.is_grpc() {
            return None;
        }
        let deadline = Self::of(request, authorizer);
        deadline.0.is_some().then(|| Box::new(deadline))
    }

    pub(crate) fn get(&self) -> Option<&Deadline> {
        self.0.as_ref()
    }

    /// Returns the status of a gRPC call that follows in its trailers, with this deadline.
    pub(crate) fn bound_trailers(&self, status: TrailingStatus) -> TrailingStatus {
        match &self.0 {
            Some(deadline) => status.with_deadline(deadline),
            None => status,
        }
    }

    /// Returns `outcome`, or an error once the deadline has passed.
    pub(crate) fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<T>,
        awaited: Awaited,
    ) -> Poll<Result<T, BoxError>> {
        match (outcome, &mut self.0) {
            (Poll::Ready(outcome), _) => Poll::Ready(Ok(outcome)),
            (Poll::Pending, None) => Poll::Pending,
            (Poll::Pending, Some(deadline)) => {
                deadline.poll_passed(cx).map(|()| Err(passed(awaited)))
            }
        }
    }

    /// Sets the `grpc-timeout` of a request that is sent late to what is left.
    pub(crate) fn set_remaining(
        &self,
        headers: &mut HeaderMap,
        awaited: Awaited,
    ) -> Result<(), BoxError> {
        if let Some(deadline) = &self.0 {
            let remaining = deadline.remaining().ok_or_else(|| passed(awaited))?;
            headers.insert(GRPC_TIMEOUT, grpc_timeout::format(remaining));
        }
        Ok(())
    }
}

/// Returns the error for a call whose deadline passed: with the feature `tonic`, a
/// [`Status`](tonic::Status) with the code `DeadlineExceeded` whose source is an [`auth_core::Error`].
fn passed(awaited: Awaited) -> BoxError {
    let moment = match awaited {
        Awaited::Token => "while the request waited for a token; the request was not sent",
        Awaited::Readiness => "before the inner service was ready; the request was not sent",
        Awaited::Replacement => {
            "while the request waited for another token, after the API rejected the first one; the \
             request was not replayed"
        }
        Awaited::ReplayReadiness => {
            "after the API rejected the token, before the inner service was ready for the replay; the \
             request was not replayed"
        }
    };
    deadline_exceeded(Deadline::error("grpc-timeout", moment))
}

#[cfg(feature = "tonic")]
fn deadline_exceeded(error: auth_core::Error) -> BoxError {
    let mut status = tonic::Status::deadline_exceeded(error.to_string());
    status.set_source(std::sync::Arc::new(error));
    status.into()
}

#[cfg(not(feature = "tonic"))]
fn deadline_exceeded(error: auth_core::Error) -> BoxError {
    error.into()
}
