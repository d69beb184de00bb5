use std::convert::Infallible;

use super::Replay;

/// Sends every request once. Asks nothing of the body's type.
///
/// A refused token is still replaced, for the requests that come after:
///
/// ```
/// use auth_tower::{AuthLayer, Never, auth_core::Authorizer};
///
/// # fn example(tokens: Authorizer) {
/// let layer = AuthLayer::new(tokens).replay(Never);
/// # }
/// ```
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
