//! The decision about a request.

use std::fmt;

use super::{
    attempt::{Attempt, AttemptFuture},
    passing::Passing,
};
use crate::Error;

/// The decision about a request: send it unchanged, or with a token.
#[must_use]
pub enum Decision {
    /// Send the request unchanged: it has an `Authorization` header of its own, or a `DPoP` header where
    /// the tokens are bound to a key; it goes to an
    /// unlisted origin, has a `Host` header that names another authority than its URI, or belongs to
    /// no tenant. [`Authorizer::passed_through`](crate::Authorizer::passed_through) prepares the check
    /// of its response.
    PassThrough(Passing),
    /// Apply the attempt to the request and send it.
    Authorize(Attempt),
    /// Wait for the attempt, apply it to the request and send the request. If the future fails, do
    /// not send the request.
    Wait(AttemptFuture),
}

impl Decision {
    /// Fails the request with `error`: it is not sent.
    #[cold]
    pub(super) fn fail(error: Error) -> Self {
        Self::Wait(Box::pin(std::future::ready(Err(error))))
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassThrough(_) => "PassThrough",
            Self::Authorize(_) => "Authorize",
            Self::Wait(_) => "Wait",
        })
    }
}
