//! Counts and recordings of an API.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::api::ProtectedApi;
use crate::sync::lock;

impl ProtectedApi {
    /// Returns the last 10,000 requests, oldest first, as they were received, `Authorization`
    /// included. The body of a request that is not finished ends where the API has read to.
    ///
    /// The URI of an HTTP/1.1 request is path and query. That of an HTTP/2 request has scheme and
    /// authority as well.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.resource.traffic.recorder.requests()
    }

    /// Returns the [`requests`](Self::requests), and removes them from the recording. The counts
    /// stay.
    #[must_use = "to discard the recording, assign it to `_`"]
    pub fn take_requests(&self) -> Vec<Request<Bytes>> {
        self.resource.traffic.recorder.take_requests()
    }

    /// Returns the number of requests so far, with a response or without one.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.resource.traffic.recorder.recorded().value()
    }

    /// Waits until the API has received at least `min` requests since it started.
    pub async fn until_requests(&self, min: usize) {
        let recorded = self.resource.traffic.recorder.recorded();
        recorded.wait_until(min).await;
    }

    /// Returns the HTTP status of every response so far, in the order of the responses. The HTTP
    /// status of every gRPC response is 200.
    #[must_use]
    pub fn statuses(&self) -> Vec<StatusCode> {
        lock(&self.resource.statuses).clone()
    }

    /// Returns the number of rejections so far: 401, 403 and 400 because of the token, their gRPC
    /// counterparts, and those of [`reject_next`](Self::reject_next) and
    /// [`reject_all`](Self::reject_all). Faults do not count.
    #[must_use]
    pub fn rejections(&self) -> usize {
        self.resource.rejections.load(Relaxed)
    }

    /// Returns the highest number of requests that were in flight at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.resource.traffic.max_in_flight()
    }

    /// Returns the number of connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.loopback.connections()
    }
}
