use std::convert::Infallible;

use crate::Replay;

/// Sends every request once. Asks nothing of the body's type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl<B> Replay<B> for Never {
    type Kept = Infallible;

    fn arm(&self, body: B) -> (B, Option<Infallible>) {
        (body, None)
    }

    fn again(kept: Infallible) -> Option<B> {
        match kept {}
    }
}
