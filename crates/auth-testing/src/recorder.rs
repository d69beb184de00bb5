//! What a server was asked.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{Request, request::Parts};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::{count::Count, lock::lock};

/// How many requests are kept; the count goes on.
const KEPT: usize = 10_000;

/// The last requests, each with what has been read of its body so far.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    kept: Mutex<VecDeque<Recorded>>,
    seen: Count,
}

#[derive(Debug)]
struct Recorded {
    head: Request<()>,
    body: Arc<Mutex<BytesMut>>,
}

impl Recorder {
    /// Takes down a request's head, and its body as it is read through what is returned.
    pub(crate) fn record(&self, head: &Parts, body: Incoming) -> RecordedBody {
        let read = self.keep(head);
        RecordedBody { body, read }
    }

    /// Keeps the head, and returns where its body goes.
    fn keep(&self, head: &Parts) -> Arc<Mutex<BytesMut>> {
        let mut request = Request::new(());
        request.method_mut().clone_from(&head.method);
        request.uri_mut().clone_from(&head.uri);
        *request.version_mut() = head.version;
        request.headers_mut().clone_from(&head.headers);
        let body = Arc::default();
        let recorded = Recorded {
            head: request,
            body: Arc::clone(&body),
        };
        {
            let mut kept = lock(&self.kept);
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(recorded);
        }
        self.seen.increment();
        body
    }

    pub(crate) fn seen(&self) -> &Count {
        &self.seen
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        lock(&self.kept).iter().map(Recorded::so_far).collect()
    }

    pub(crate) fn take_requests(&self) -> Vec<Request<Bytes>> {
        let taken = std::mem::take(&mut *lock(&self.kept));
        taken.iter().map(Recorded::so_far).collect()
    }
}

impl Recorded {
    fn so_far(&self) -> Request<Bytes> {
        let body = Bytes::copy_from_slice(&lock(&self.body));
        self.head.clone().map(|()| body)
    }
}

/// A request's body that is taken down while it is read.
#[derive(Debug)]
pub(crate) struct RecordedBody {
    body: Incoming,
    read: Arc<Mutex<BytesMut>>,
}

impl RecordedBody {
    /// Reads to the end; none if the client went away before it. A second call finds the end.
    pub(crate) async fn read_fully(&mut self) -> Option<()> {
        use http_body_util::BodyExt;
        while let Some(frame) = self.frame().await {
            frame.ok()?;
        }
        Some(())
    }

    /// All that has been read.
    pub(crate) fn so_far(&self) -> Bytes {
        Bytes::copy_from_slice(&lock(&self.read))
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
            lock(&self.read).extend_from_slice(data.chunk());
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
    fn the_last_ones_are_kept_and_all_are_counted() {
        let recorder = Recorder::default();
        for number in 0..=KEPT {
            let request = Request::get(format!("/{number}")).body(());
            let (head, ()) = request.unwrap().into_parts();
            recorder.keep(&head);
        }
        let requests = recorder.requests();
        assert_eq!(requests.len(), KEPT);
        assert_eq!(requests[0].uri(), "/1");
        assert_eq!(recorder.seen().value(), KEPT + 1);
    }

    #[test]
    fn a_body_is_shown_as_far_as_it_was_read() {
        let recorder = Recorder::default();
        let (head, ()) = Request::new(()).into_parts();
        let body = recorder.keep(&head);
        assert_eq!(recorder.requests()[0].body(), "");
        lock(&body).extend_from_slice(b"hello");
        assert_eq!(recorder.take_requests()[0].body(), "hello");
        assert!(recorder.requests().is_empty());
    }
}
