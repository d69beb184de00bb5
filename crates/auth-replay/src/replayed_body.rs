use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::frames::Frames;

/// The body of the replay: the frames that the first attempt sent, then the rest of the body.
pub(super) struct ReplayedBody<B> {
    frames: Frames,
    /// `None` if the first attempt read the whole body.
    rest: Option<B>,
    /// The remaining part of the size that the first attempt announced. Both attempts announce the same
    /// size, even if the body knows more by the time of the replay.
    left: SizeHint,
}

impl<B> ReplayedBody<B> {
    pub(super) fn new(frames: Frames, rest: Option<B>, announced: SizeHint) -> Self {
        Self {
            frames,
            rest,
            left: announced,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ReplayedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = match (self.frames.next(), &mut self.rest) {
            (Some(frame), _) => Some(Ok(frame)),
            (None, Some(rest)) => ready!(Pin::new(rest).poll_frame(cx)),
            (None, None) => None,
        };
        if let Some(Ok(frame)) = &frame {
            let sent = frame.data_ref().map_or(0, Bytes::len);
            self.left = less(self.left, sent as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
    }
}

/// Subtracts the sent bytes. Stops at zero, because a body may send more than it announced.
fn less(hint: SizeHint, sent: u64) -> SizeHint {
    let mut left = SizeHint::new();
    left.set_lower(hint.lower().saturating_sub(sent));
    if let Some(upper) = hint.upper() {
        left.set_upper(upper.saturating_sub(sent));
    }
    left
}
