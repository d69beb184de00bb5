//! A recording of the requests that a server received.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{Request, request::Parts};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::sync::{Counter, lock};

/// The recording holds this many requests. The counter counts all of them.
const CAPACITY: usize = 10_000;

/// The last requests, each with the part of its body that has been read.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    requests: Mutex<VecDeque<RecordedRequest>>,
    recorded: Counter,
}

#[derive(Debug)]
struct RecordedRequest {
    head: Request<()>,
    body: Arc<Mutex<BytesMut>>,
}

impl Recorder {
    /// Records the head of a request, and its body while it is read through the returned one.
    pub(crate) fn record(&self, head: &Parts, body: Incoming) -> RecordedBody {
        let received = self.record_head(head);
        RecordedBody { body, received }
    }

    /// Records the head of a request, and returns the place for its body.
    fn record_head(&self, head: &Parts) -> Arc<Mutex<BytesMut>> {
        let mut recorded_head = Request::new(());
        recorded_head.method_mut().clone_from(&head.method);
        recorded_head.uri_mut().clone_from(&head.uri);
        *recorded_head.version_mut() = head.version;
        recorded_head.headers_mut().clone_from(&head.headers);
        let body = Arc::default();
        let request = RecordedRequest {
            head: recorded_head,
            body: Arc::clone(&body),
        };
        {
            let mut requests = lock(&self.requests);
            if requests.len() == CAPACITY {
                requests.pop_front();
            }
            requests.push_back(request);
        }
        self.recorded.increment();
        body
    }

    /// Returns the counter of all requests so far.
    pub(crate) fn recorded(&self) -> &Counter {
        &self.recorded
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        lock(&self.requests)
            .iter()
            .map(RecordedRequest::received)
            .collect()
    }

    pub(crate) fn take_requests(&self) -> Vec<Request<Bytes>> {
        let taken = std::mem::take(&mut *lock(&self.requests));
        taken.iter().map(RecordedRequest::received).collect()
    }
}

impl RecordedRequest {
    fn received(&self) -> Request<Bytes> {
        let body = Bytes::copy_from_slice(&lock(&self.body));
        self.head.clone().map(|()| body)
    }
}

/// The body of a request. It is recorded while it is read.
#[derive(Debug)]
pub(crate) struct RecordedBody {
    body: Incoming,
    received: Arc<Mutex<BytesMut>>,
}

impl RecordedBody {
    /// Reads to the end. `None` if the client closed the connection before it. Can be called again.
    pub(crate) async fn read_fully(&mut self) -> Option<()> {
        use http_body_util::BodyExt;
        while let Some(frame) = self.frame().await {
            frame.ok()?;
        }
        Some(())
    }

    /// Returns the part that has been read.
    pub(crate) fn received(&self) -> Bytes {
        Bytes::copy_from_slice(&lock(&self.received))
    }
}

impl Body for RecordedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            lock(&self.received).extend_from_slice(data.chunk());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_requests_are_kept_and_all_are_counted() {
        let recorder = Recorder::default();
        for number in 0..=CAPACITY {
            let request = Request::get(format!("/{number}")).body(());
            let (head, ()) = request.unwrap().into_parts();
            recorder.record_head(&head);
        }
        let requests = recorder.requests();
        assert_eq!(requests.len(), CAPACITY);
        assert_eq!(requests[0].uri(), "/1");
        assert_eq!(recorder.recorded().value(), CAPACITY + 1);
    }

    #[test]
    fn a_recorded_body_ends_where_it_was_read_to() {
        let recorder = Recorder::default();
        let (head, ()) = Request::new(()).into_parts();
        let body = recorder.record_head(&head);
        assert_eq!(recorder.requests()[0].body(), "");
        lock(&body).extend_from_slice(b"hello");
        assert_eq!(recorder.take_requests()[0].body(), "hello");
        assert!(recorder.requests().is_empty());
    }
}
