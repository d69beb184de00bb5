//! How a request's body is kept, so that a request whose token was refused can be sent once more.
//!
//! The types are laid out; no request is replayed yet, and every body passes through as it is.

/// Keeps what a second sending of a body needs.
///
/// [`Bounded`] is the default, [`CloneBody`] is for bodies that can be cloned, [`Never`] for those
/// who want none of it; a body of your own can have its own.
pub trait Replay<B>: Clone {
    /// What is kept beside the body that is being sent.
    type Kept;

    /// The body to send now and, where it can be sent again, what that takes.
    fn arm(&self, body: B) -> (B, Option<Self::Kept>);

    /// Whether [`again`](Self::again) would succeed now: asked before another token is requested.
    fn is_whole(kept: &Self::Kept) -> bool {
        let _ = kept;
        true
    }

    /// The body to send the second time.
    fn again(kept: Self::Kept) -> Option<B>;
}

/// Keeps what has been sent of a body, up to a number of bytes.
///
/// A body that it does not know is sent once.
#[derive(Clone, Copy, Debug)]
pub struct Bounded(usize);

impl Bounded {
    /// Keeps up to `bytes` bytes of each body that is under way.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The bound, in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl Default for Bounded {
    /// 64 KiB.
    fn default() -> Self {
        Self(64 * 1024)
    }
}

/// What [`Bounded`] keeps of a body.
#[derive(Debug)]
pub struct Tape<B>(B);

impl<B: 'static> Replay<B> for Bounded {
    type Kept = Tape<B>;

    fn arm(&self, body: B) -> (B, Option<Tape<B>>) {
        (body, None)
    }

    fn again(kept: Tape<B>) -> Option<B> {
        Some(kept.0)
    }
}

/// Keeps a clone of the body.
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

/// Sends every request once. Asks nothing of the body's type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl<B> Replay<B> for Never {
    type Kept = std::convert::Infallible;

    fn arm(&self, body: B) -> (B, Option<Self::Kept>) {
        (body, None)
    }

    fn again(kept: Self::Kept) -> Option<B> {
        match kept {}
    }
}
