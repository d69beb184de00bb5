//! The connection of a token request over hyper-util's client: it carries no further request.

use http::Request;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};

/// When it is dropped, hyper-util's client gives the connection of a request to no further request.
/// Requests in flight continue.
pub(crate) struct UsedConnection {
    /// Stays empty if another client sends the request.
    captured: CaptureConnection,
}

impl UsedConnection {
    pub(crate) fn of<B>(request: &mut Request<B>) -> Self {
        Self {
            captured: capture_connection(request),
        }
    }
}

impl Drop for UsedConnection {
    fn drop(&mut self) {
        if let Some(connection) = &*self.captured.connection_metadata() {
            connection.poison();
        }
    }
}
