use std::{fmt, sync::Arc};

use bytes::Bytes;
use http_body::Body;

use crate::{
    boxed_body::{BodyError, Wrap},
    recorded_body::{RecordedBody, SharedBody},
    replayed_body::ReplayedBody,
};

/// The part of a body that [`Bounded`](crate::Bounded) keeps: a clone, or the frames sent so far.
/// Dropping it frees the frames at once, and the rest of the body is sent unrecorded.
///
/// ```
/// use auth_replay::{Bounded, Recording, Replay};
/// use bytes::Bytes;
/// use http_body_util::Full;
///
/// let body = Full::new(Bytes::from_static(b"hello"));
/// let (to_send, recording): (_, Option<Recording<_>>) = Bounded::default().record(body);
/// let second = recording.and_then(Bounded::replay);
/// assert_eq!(second.and_then(Full::into_inner), to_send.into_inner());
/// ```
pub struct Recording<B>(Source<B>);

/// Where the replay's body comes from.
enum Source<B> {
    Clone(B),
    Frames(Frames<B>),
}

struct Frames<B> {
    shared: Arc<SharedBody<B>>,
    /// Both functions are set in `of_frames`, where `B` is known to be a boxed body.
    is_replayable: fn(&SharedBody<B>) -> bool,
    replay: fn(&SharedBody<B>) -> Option<B>,
}

/// A box that the bodies of both attempts fit into, so that the client sees the same type.
pub(super) trait BoxedBody:
    Wrap<RecordedBody<Self>>
    + Wrap<ReplayedBody<Self>>
    + Body<Data = Bytes, Error: BodyError>
    + Default
    + Send
    + Unpin
    + 'static
{
}

impl<B> BoxedBody for B where
    B: Wrap<RecordedBody<B>>
        + Wrap<ReplayedBody<B>>
        + Body<Data = Bytes, Error: BodyError>
        + Default
        + Send
        + Unpin
        + 'static
{
}

impl<B> Recording<B> {
    pub(super) fn of_clone(clone: B) -> Self {
        Self(Source::Clone(clone))
    }

    /// Returns the body to send, which is recorded while it is sent, and its recording.
    pub(super) fn of_frames(body: B, bound: usize) -> (B, Self)
    where
        B: BoxedBody,
    {
        let shared = Arc::new(SharedBody::new(body, bound));
        let first = B::wrap(RecordedBody(shared.clone()));
        let replay = |shared: &SharedBody<B>| shared.replay().map(B::wrap);
        let is_replayable = SharedBody::is_replayable;
        let frames = Frames {
            shared,
            is_replayable,
            replay,
        };
        (first, Self(Source::Frames(frames)))
    }

    pub(super) fn is_replayable(&self) -> bool {
        match &self.0 {
            Source::Clone(_) => true,
            Source::Frames(frames) => (frames.is_replayable)(&frames.shared),
        }
    }

    pub(super) fn replay(self) -> Option<B> {
        match self.0 {
            Source::Clone(clone) => Some(clone),
            Source::Frames(frames) => (frames.replay)(&frames.shared),
        }
    }
}

impl<B> Drop for Frames<B> {
    fn drop(&mut self) {
        self.shared.stop_recording();
    }
}

impl<B> fmt::Debug for Recording<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}
