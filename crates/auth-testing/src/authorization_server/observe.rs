//! Counts and recordings of an authorization server.

use bytes::Bytes;
use http::Request;

use super::server::AuthorizationServer;

impl AuthorizationServer {
    /// Returns the number of token requests so far, with a response or without one.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.state.token_requests.value()
    }

    /// Waits until the token endpoint has received at least `min` requests since the server started.
    pub async fn until_token_requests(&self, min: usize) {
        self.state.token_requests.wait_until(min).await;
    }

    /// Returns the highest number of token requests that were in flight at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.state.traffic.max_in_flight()
    }

    /// Returns the number of tokens issued so far.
    #[must_use]
    pub fn tokens_issued(&self) -> usize {
        self.tokens().issued()
    }

    /// Returns whether this server issued the token, and it is neither expired nor revoked.
    #[must_use]
    pub fn is_active(&self, token: &str) -> bool {
        self.tokens().granted(token).is_some()
    }

    /// Returns the last 10,000 requests, oldest first, with headers and bodies as they were
    /// received. Requests for other paths than the token endpoint's are included.
    ///
    /// The URI of an HTTP/1.1 request is path and query. That of an HTTP/2 request has scheme and
    /// authority as well.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state.traffic.recorder.requests()
    }

    /// Returns the [`requests`](Self::requests), and removes them from the recording. The counts
    /// stay.
    #[must_use = "to discard the recording, assign it to `_`"]
    pub fn take_requests(&self) -> Vec<Request<Bytes>> {
        self.state.traffic.recorder.take_requests()
    }

    /// Returns the number of connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.loopback.connections()
    }
}
