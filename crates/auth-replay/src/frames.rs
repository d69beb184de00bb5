use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

/// An empty frame costs memory, too, so the number of frames is bounded as well: `MIN_FRAMES`, and one
/// more for every `BYTES_PER_FRAME` bytes of the bound.
const BYTES_PER_FRAME: usize = 64;
const MIN_FRAMES: usize = 16;

/// Frames in the order in which they were sent, within a bound. Trailers are the last.
pub(super) struct Frames {
    data: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    bytes_left: usize,
    frames_left: usize,
}

impl Frames {
    pub(super) fn within(bound: usize) -> Self {
        Self {
            data: VecDeque::new(),
            trailers: None,
            bytes_left: bound,
            frames_left: MIN_FRAMES + bound / BYTES_PER_FRAME,
        }
    }

    /// Keeps a copy of the frame. Returns false if that would exceed the bound, or if the frame follows
    /// trailers.
    pub(super) fn keep(&mut self, frame: &Frame<Bytes>) -> bool {
        let (data, trailers) = (frame.data_ref(), frame.trailers_ref());
        let bytes = data.map_or(0, Bytes::len) + trailers.map_or(0, size);
        let bytes_left = self.bytes_left.checked_sub(bytes);
        let frames_left = self.frames_left.checked_sub(1);
        let (Some(bytes_left), Some(frames_left), None) = (bytes_left, frames_left, &self.trailers)
        else {
            return false;
        };
        (self.bytes_left, self.frames_left) = (bytes_left, frames_left);
        self.data.extend(data.cloned());
        self.trailers = trailers.cloned();
        data.is_some() || trailers.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }
}

impl Iterator for Frames {
    type Item = Frame<Bytes>;

    fn next(&mut self) -> Option<Frame<Bytes>> {
        let data = self.data.pop_front().map(Frame::data);
        data.or_else(|| self.trailers.take().map(Frame::trailers))
    }
}

fn size(fields: &HeaderMap) -> usize {
    let sizes = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    sizes.sum()
}
