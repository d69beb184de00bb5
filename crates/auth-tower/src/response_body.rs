use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use auth_core::adapter::{ReplacementFuture, TrailingStatus};
use bytes::Buf;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response of [`Auth`](crate::Auth): the body of the inner service's response, of
    /// which every frame is passed on unchanged.
    ///
    /// The response to a gRPC call may have its status in the trailers, after the body. If that status
    /// is `UNAUTHENTICATED`, and the token of the call is still the current one, another token is
    /// requested. The trailers are passed on when it has arrived, and in any case after one second, or when
    /// the `grpc-timeout` of the call ends, so that the next call has another token. The call itself is not replayed: its caller has received
    /// the headers of the response. A call whose caller drops the body before the trailers is not
    /// classified.
    ///
    /// Bodies of other responses are only passed on.
    pub struct ResponseBody<B> {
        #[pin]
        body: B,
        // `None` for a response that has been classified
        status: Option<TrailingStatus>,
        held: Option<Box<HeldTrailers>>,
    }
}

/// Trailers that wait for another token.
struct HeldTrailers {
    trailers: HeaderMap,
    /// Never locked, only owned: a mutex is `Sync`, and so is the body then.
    replacement: Mutex<ReplacementFuture>,
}

impl<B> ResponseBody<B> {
    /// Wraps the body of a response whose status is in its trailers, if there is a `status`.
    #[inline]
    pub(crate) fn wrap(response: Response<B>, status: Option<TrailingStatus>) -> Response<Self> {
        response.map(|body| Self {
            body,
            status,
            held: None,
        })
    }

    /// Returns the inner service's body.
    pub fn get_ref(&self) -> &B {
        &self.body
    }

    /// Returns the inner service's body. Its trailers are not classified. Trailers that wait for
    /// another token are lost.
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
        if let Some(held) = this.held {
            ready!(held.poll_replacement(cx));
            return Poll::Ready(
                this.held
                    .take()
                    .map(|held| Ok(Frame::trailers(held.trailers))),
            );
        }
        let frame = ready!(this.body.poll_frame(cx));
        if this.status.is_none() {
            return Poll::Ready(frame);
        }
        match report(this.status, frame) {
            Reported::Frame(frame) => Poll::Ready(frame),
            Reported::Held(mut held) => match held.poll_replacement(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Ok(Frame::trailers(held.trailers)))),
                Poll::Pending => {
                    *this.held = Some(held);
                    Poll::Pending
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HeldTrailers {
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let replacement = self.replacement.get_mut();
        let replacement = replacement.unwrap_or_else(PoisonError::into_inner);
        replacement.as_mut().poll(cx)
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// A frame after its report.
enum Reported<F> {
    Frame(F),
    Held(Box<HeldTrailers>),
}

/// Reports a frame of a call whose status is in the trailers. The trailers, an error and the end of the
/// body are the last report.
fn report<D: Buf, E>(
    status: &mut Option<TrailingStatus>,
    frame: Option<Result<Frame<D>, E>>,
) -> Reported<Option<Result<Frame<D>, E>>> {
    if let (Some(Ok(frame)), Some(status)) = (&frame, &status)
        && let Some(data) = frame.data_ref()
    {
        status.data(data.chunk());
    } else if let Some(status) = status.take()
        && let Some(Ok(received)) = &frame
        && let Some(trailers) = received.trailers_ref()
        && let Some(replacement) = status.trailers(trailers)
    {
        return Reported::Held(Box::new(HeldTrailers {
            trailers: trailers.clone(),
            replacement: Mutex::new(replacement),
        }));
    }
    Reported::Frame(frame)
}
