use crate::Replay;

/// Keeps a clone of the body, whatever its size.
///
/// For a body of your own whose clone sends the same from the beginning, and costs little.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneBody;

impl<B: Clone> Replay<B> for CloneBody {
    type Kept = B;

    fn arm(&self, body: B) -> (B, Option<B>) {
        let kept = body.clone();
        (body, Some(kept))
    }

    fn again(kept: B) -> Option<B> {
        Some(kept)
    }
}
