//! The connection of a token request over hyper-util's client: it is not used again unless the request
//! was answered.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Request;
use http_body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use pin_project_lite::pin_project;

/// Has hyper-util's client discard the connection of a request when it is dropped, unless the request
/// was answered.
pub(crate) struct UsedConnection {
    /// Stays empty if another client sends the request.
    captured: CaptureConnection,
    is_answered: bool,
}

impl UsedConnection {
    pub(crate) fn of<B>(request: &mut Request<B>) -> Self {
        Self {
            captured: capture_connection(request),
            is_answered: false,
        }
    }

    /// Returns a body at whose end the request is answered.
    pub(crate) fn until_end_of<B: Body>(mut self, body: B) -> Answer<B> {
        self.is_answered = body.is_end_stream();
        Answer {
            body,
            connection: self,
        }
    }
}

impl Drop for UsedConnection {
    fn drop(&mut self) {
        if !self.is_answered
            && let Some(connection) = &*self.captured.connection_metadata()
        {
            connection.poison();
        }
    }
}

pin_project! {
    /// The body of a response.
    pub(crate) struct Answer<B> {
        #[pin]
        body: B,
        connection: UsedConnection,
    }
}

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        this.connection.is_answered = match &frame {
            None => true,
            Some(frame) => frame.is_ok() && this.body.is_end_stream(),
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
