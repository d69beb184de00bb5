use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::frames::Frames;

/// The second attempt's body: the frames that the first one had, then the rest.
pub(super) struct Playback<B> {
    frames: Frames,
    /// `None` if there is none.
    rest: Option<B>,
    /// What is left of the size that the first attempt announced, so that both announce the same
    /// even if more is known by now.
    left: SizeHint,
}

impl<B> Playback<B> {
    pub(super) fn new(frames: Frames, rest: Option<B>, announced: SizeHint) -> Self {
        Self {
            frames,
            rest,
            left: announced,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Playback<B> {
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

/// No panic if a body sends more than it announced.
fn less(hint: SizeHint, sent: u64) -> SizeHint {
    let mut left = SizeHint::new();
    left.set_lower(hint.lower().saturating_sub(sent));
    if let Some(upper) = hint.upper() {
        left.set_upper(upper.saturating_sub(sent));
    }
    left
}
