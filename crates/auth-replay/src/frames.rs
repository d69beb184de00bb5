use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

/// A frame costs something beside its bytes, an empty one too; so their number is bounded as well.
const BYTES_PER_FRAME: usize = 64;
const SPARE_FRAMES: usize = 16;

/// Frames in their order, within a bound. Trailers are the last.
pub(super) struct Frames {
    data: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    room: usize,
    spare: usize,
}

impl Frames {
    pub(super) fn within(bound: usize) -> Self {
        Self {
            data: VecDeque::new(),
            trailers: None,
            room: bound,
            spare: SPARE_FRAMES + bound / BYTES_PER_FRAME,
        }
    }

    /// Keeps a copy; false if that would exceed the bound, or could not be sent in this order.
    pub(super) fn keep(&mut self, frame: &Frame<Bytes>) -> bool {
        let (data, trailers) = (frame.data_ref(), frame.trailers_ref());
        let bytes = data.map_or(0, Bytes::len) + trailers.map_or(0, size);
        let room = self.room.checked_sub(bytes);
        let spare = self.spare.checked_sub(1);
        let (Some(room), Some(spare), None) = (room, spare, &self.trailers) else {
            return false;
        };
        (self.room, self.spare) = (room, spare);
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
