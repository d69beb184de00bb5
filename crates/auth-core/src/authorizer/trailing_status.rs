//! A gRPC call whose status follows in the trailers of its response.

use std::fmt;

use http::HeaderMap;

use super::classify::{Classification, classify_grpc_status};
use crate::{cache::Issued, challenge::grpc_status};

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
}

impl TrailingStatus {
    pub(super) fn new(token: Issued) -> Self {
        Self { token }
    }

    /// Reports data of the body, which may begin anywhere in a message.
    #[inline]
    pub fn data(&self, data: &[u8]) {
        // A message begins with a flag, 0 or 1. The trailers of gRPC-Web begin with 128, and are in
        // the body as well.
        if let Some(0 | 1) = data.first() {
            self.token.accepted();
        }
    }

    /// Reports the trailers.
    pub fn trailers(self, trailers: &HeaderMap) {
        let Some(code) = grpc_status(trailers) else {
            return;
        };
        match classify_grpc_status(code, trailers, self.token.header()) {
            Classification::Accepted => self.token.accepted(),
            Classification::Rejected(kind) if self.token.is_current() => {
                // no request waits for the replacement
                drop(self.token.rejected(kind, false));
            }
            _ => {}
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
