use std::{
    fmt, mem,
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
        state: State,
    }
}

/// The status of the response, as far as it has arrived.
enum State {
    /// The response has been classified.
    Classified,
    /// The status is in the trailers.
    Follows(TrailingStatus),
    /// The status rejected the token.
    Held(Box<HeldTrailers>),
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
        let state = status.map_or(State::Classified, State::Follows);
        response.map(|body| Self { body, state })
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
        if !matches!(this.state, State::Held(_)) {
            let frame = ready!(this.body.poll_frame(cx));
            if matches!(this.state, State::Classified) {
                return Poll::Ready(frame);
            }
            if let Some(frame) = report(this.state, frame) {
                return Poll::Ready(frame);
            }
        }
        if let State::Held(held) = this.state {
            ready!(held.poll_replacement(cx));
        }
        match mem::replace(this.state, State::Classified) {
            State::Held(held) => Poll::Ready(Some(Ok(Frame::trailers(held.trailers)))),
            // not reached: `report` returns a frame unless it holds the trailers
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !matches!(self.state, State::Held(_)) && self.body.is_end_stream()
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

/// Reports a frame of a call whose status is in the trailers, and returns it. The trailers, an error and
/// the end of the body are the last report. `None` if the trailers are held.
fn report<D: Buf, E>(
    state: &mut State,
    frame: Option<Result<Frame<D>, E>>,
) -> Option<Option<Result<Frame<D>, E>>> {
    if let (Some(Ok(frame)), State::Follows(status)) = (&frame, &mut *state)
        && let Some(data) = frame.data_ref()
    {
        status.data(data.chunk());
    } else if let State::Follows(status) = mem::replace(state, State::Classified)
        && let Some(Ok(received)) = &frame
        && let Some(trailers) = received.trailers_ref()
        && let Some(replacement) = status.trailers(trailers)
    {
        *state = State::Held(Box::new(HeldTrailers {
            trailers: trailers.clone(),
            replacement: Mutex::new(replacement),
        }));
        return None;
    }
    Some(frame)
}
