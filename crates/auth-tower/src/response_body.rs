use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use auth_core::adapter::TrailingStatus;
use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response of [`Auth`](crate::Auth): the body of the inner service's response, of
    /// which every frame is passed on unchanged.
    ///
    /// The response to a gRPC call may have its status in the trailers, after the body. If that status
    /// is `UNAUTHENTICATED`, and the token of the call is still the current one, another token is
    /// requested, and the next call carries it. The call itself is not replayed: its caller has
    /// received the headers of the response. A call whose caller drops the body before the trailers
    /// is not judged.
    ///
    /// Bodies of other responses are only passed through.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        body: B,
        // `None` for a response that has been classified
        status: Option<TrailingStatus>,
    }
}

impl<B> ResponseBody<B> {
    /// Wraps the body of a response whose status is in its trailers, if there is a `status`.
    #[inline]
    pub(crate) fn wrap(response: Response<B>, status: Option<TrailingStatus>) -> Response<Self> {
        response.map(|body| Self { body, status })
    }

    /// Returns the inner service's body.
    pub fn get_ref(&self) -> &B {
        &self.body
    }

    /// Returns the inner service's body, which does not report the status in its trailers.
    pub fn into_inner(self) -> B {
        self.body
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if this.status.is_some() {
            report(this.status, frame.as_ref());
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

/// Reports a frame. The trailers, an error and the end of the body are the last report.
fn report<D: Buf, E>(status: &mut Option<TrailingStatus>, frame: Option<&Result<Frame<D>, E>>) {
    match (frame, &status) {
        (Some(Ok(frame)), Some(watched)) => {
            if let Some(data) = frame.data_ref() {
                watched.data(data.chunk());
            } else if let Some(trailers) = frame.trailers_ref()
                && let Some(status) = status.take()
            {
                status.trailers(trailers);
            }
        }
        _ => *status = None,
    }
}
