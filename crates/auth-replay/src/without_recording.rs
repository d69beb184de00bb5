//! The strategies that record nothing: one clones the body, the other turns replays off.

use std::convert::Infallible;

use crate::replay::Replay;

/// Keeps a clone of the body, whatever its size.
///
/// For body types whose clones are cheap and send the same content from the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneBody;

impl<B: Clone> Replay<B> for CloneBody {
    type Recording = B;

    fn record(&self, body: B) -> (B, Option<B>) {
        let clone = body.clone();
        (body, Some(clone))
    }

    fn replay(clone: B) -> Option<B> {
        Some(clone)
    }
}

/// Turns replays off: each request is sent once. Accepts any body type.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReplay;

impl<B> Replay<B> for NoReplay {
    type Recording = Infallible;

    fn record(&self, body: B) -> (B, Option<Infallible>) {
        (body, None)
    }

    fn replay(recording: Infallible) -> Option<B> {
        match recording {}
    }
}
