//! What a test learns from an API.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::ProtectedApi;
use crate::lock::lock;

impl ProtectedApi {
    /// The requests so far, oldest first, as they came over the wire, `Authorization` included,
    /// each with what has been read of its body so far. The last 10,000 are kept.
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

    /// How many requests there were, answered or not.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.state.traffic.recorder.seen().value()
    }

    /// Waits until there were at least so many requests, answered or not.
    pub async fn until_requests(&self, at_least: usize) {
        self.state.traffic.recorder.seen().until(at_least).await;
    }

    /// The HTTP statuses answered, in the order of the answers. Every gRPC answer counts as 200.
    #[must_use]
    pub fn statuses(&self) -> Vec<StatusCode> {
        lock(&self.state.statuses).clone()
    }

    /// How many requests were refused for their token or on demand: 401, 403 and 400 for a missing
    /// or unfit one, and their gRPC counterparts. Faults do not count.
    #[must_use]
    pub fn refusals(&self) -> usize {
        self.state.refusals.load(Relaxed)
    }

    /// The most requests that were ever in flight at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.state.traffic.max_in_flight()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.loopback.connections()
    }
}
