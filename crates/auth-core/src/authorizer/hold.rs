//! A response that rejected its token, and whose request is not replayed.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use super::deadline::Deadline;
use crate::cache::Replacing;

/// The future for which a response, or its trailers, are held. It takes as long as a token request, and
/// one second at most.
pub type ReplacementFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The maximum time for which a response or its trailers are held.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// A response that rejected its token while another one is requested. The request is not replayed:
/// its body cannot be sent again, its method is not to be repeated, or it is a replay itself.
///
/// Its caller may call again as soon as it has the response. The adapter therefore holds the response
/// until the other token has arrived, so that the next request carries it.
#[must_use]
pub struct Hold {
    replacement: Replacing,
}

impl Hold {
    /// Returns the hold of a response whose token is replaced. `None` if no other token is in flight.
    pub(super) fn until(replacement: Replacing) -> Option<Self> {
        replacement.is_pending().then_some(Self { replacement })
    }

    /// Returns a future: deliver the response to the caller when it completes. It completes when the token
    /// request has finished, and in any case after one second, or when half of the time until the
    /// caller's `deadline` has passed. The rest of that time is left to the body of the response.
    #[must_use]
    pub fn until_replaced(self, deadline: Option<&Deadline>) -> ReplacementFuture {
        let patience = match deadline {
            Some(deadline) => PATIENCE.min(deadline.remaining().unwrap_or_default() / 2),
            None => PATIENCE,
        };
        wait(self.replacement, patience)
    }
}

/// Returns a future that ends with the token request, and after `patience` at the latest.
pub(super) fn wait(mut replacement: Replacing, patience: Duration) -> ReplacementFuture {
    Box::pin(async move { replacement.wait_at_most(patience).await })
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold")
            .field("replacement", &self.replacement)
            .finish()
    }
}
