//! What a test learns from an authorization server.

use bytes::Bytes;
use http::Request;

use super::AuthorizationServer;

impl AuthorizationServer {
    /// How many requests the token endpoint has had, whatever became of them.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.state.token_requests.value()
    }

    /// Waits until the token endpoint has had at least so many requests, answered or not.
    pub async fn until_token_requests(&self, at_least: usize) {
        self.state.token_requests.until(at_least).await;
    }

    /// The most token requests that were ever in flight at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.state.traffic.max_in_flight()
    }

    /// How many tokens were issued.
    #[must_use]
    pub fn tokens_issued(&self) -> usize {
        self.tokens().issued()
    }

    /// Whether the token was issued here and is neither expired nor revoked.
    #[must_use]
    pub fn is_active(&self, token: &str) -> bool {
        self.tokens().granted(token).is_some()
    }

    /// The requests so far, oldest first, those to other paths included, as they came over the
    /// wire: header values and body untouched. The last 10,000 are kept.
    ///
    /// Over HTTP/1.1 the URI is path and query, over HTTP/2 it has scheme and authority too.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state.traffic.recorder.requests()
    }

    /// Like [`requests`](Self::requests), and forgets them. The counts stay.
    #[must_use = "to forget them, drop them by name"]
    pub fn take_requests(&self) -> Vec<Request<Bytes>> {
        self.state.traffic.recorder.take_requests()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.loopback.connections()
    }
}
