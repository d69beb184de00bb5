//! A gRPC call whose status follows in the trailers of its response.

use std::{fmt, time::Duration};

use http::HeaderMap;

use super::{
    classify::{Classification, classify_grpc_status},
    deadline::Deadline,
    hold::{self, PATIENCE, ReplacementFuture},
};
use crate::{
    cache::{Issued, Replacing},
    challenge::grpc_status,
};

/// A gRPC call that was sent with a token, and whose status follows in the trailers.
///
/// The adapter reports the frames of the response's body. A message means that the API accepted the
/// token. The status `UNAUTHENTICATED` in the trailers means that the API rejected it: another token
/// is requested for later calls, if the token is still the current one. The token of a long stream
/// may expire before the stream ends; then no token is requested.
///
/// The call itself is not replayed: its caller has received the headers of the response.
pub struct TrailingStatus {
    token: Issued,
    /// The end of the call's deadline, by the monotonic clock of the token's cache.
    deadline: Option<Duration>,
    /// Whether the body begins with a message. `None` until it begins.
    begins_with_message: Option<bool>,
}

impl TrailingStatus {
    pub(super) fn new(token: Issued) -> Self {
        Self {
            token,
            deadline: None,
            begins_with_message: None,
        }
    }

    /// Sets the deadline of the call. The trailers are not held longer.
    #[must_use]
    pub fn with_deadline(mut self, deadline: &Deadline) -> Self {
        let remaining = deadline.remaining().unwrap_or_default();
        let now = self.token.monotonic_now();
        self.deadline = now.map(|now| now.saturating_add(remaining));
        self
    }

    /// Reports data of the body. All data has to be reported, from the beginning of the body on; a part may
    /// begin anywhere in a message.
    #[inline]
    pub fn data(&mut self, data: &[u8]) {
        // A message begins with a flag, 0 or 1. The trailers of gRPC-Web begin with 128, and are in
        // the body as well; a body that begins with them has no message, whatever a later part looks like.
        let Some(first) = data.first() else { return };
        let may_begin_message = matches!(first, 0 | 1);
        let begins_with_message = self.begins_with_message.get_or_insert(may_begin_message);
        if may_begin_message && *begins_with_message {
            self.token.accepted();
        }
    }

    /// Reports the trailers. If another token is requested, returns a future: deliver the trailers to
    /// the caller when it completes, so that the caller's next call has the other token. It completes
    /// when the token request has finished, and in any case after one second, or when the
    /// [deadline](Self::with_deadline) of the call passes.
    #[must_use]
    pub fn trailers(self, trailers: &HeaderMap) -> Option<ReplacementFuture> {
        let code = grpc_status(trailers)?;
        match classify_grpc_status(code, trailers, self.token.header()) {
            Classification::Accepted => self.token.accepted(),
            Classification::Rejected(kind) if self.token.is_current() => {
                let replacement = self.token.rejected(kind, false);
                let replacement = replacement.filter(Replacing::is_pending)?;
                let patience = self.patience();
                if patience.is_zero() {
                    return None;
                }
                return Some(hold::wait(replacement, patience));
            }
            _ => {}
        }
        None
    }

    fn patience(&self) -> Duration {
        match (self.deadline, self.token.monotonic_now()) {
            (Some(deadline), Some(now)) => deadline.saturating_sub(now).min(PATIENCE),
            _ => PATIENCE,
        }
    }
}

impl fmt::Debug for TrailingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrailingStatus")
            .field("token", &self.token)
            .finish()
    }
}
