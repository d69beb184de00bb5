//! What to do with a request.

use std::fmt;

use super::attempt::{Attempt, AttemptFuture};
use crate::Error;

/// What to do with a request.
#[must_use]
pub enum Decision {
    /// Send the request as it is: it has an `Authorization` header of its own, or goes to an origin
    /// that may not receive the token.
    PassThrough,
    /// Apply the attempt to the request and send it.
    Authorize(Attempt),
    /// Wait for the attempt, apply it to the request and send that. If the future fails, the
    /// request is not sent.
    Wait(AttemptFuture),
}

impl Decision {
    /// Not to send the request, for a reason that is known already.
    #[cold]
    pub(super) fn decline(why: Error) -> Self {
        Self::Wait(Box::pin(std::future::ready(Err(why))))
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassThrough => "PassThrough",
            Self::Authorize(_) => "Authorize",
            Self::Wait(_) => "Wait",
        })
    }
}
