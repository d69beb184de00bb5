use std::{fmt, sync::Arc};

use crate::{
    boxed::Boxed,
    recording::{Recording, Reel},
};

/// What [`Bounded`](crate::Bounded) keeps of a body: a copy, or the frames that were sent so far.
/// When it is dropped, they are freed at once and the body goes on unrecorded.
///
/// ```
/// use auth_replay::{Bounded, Replay, Tape};
/// use bytes::Bytes;
/// use http_body_util::Full;
///
/// let body = Full::new(Bytes::from_static(b"hello"));
/// let (to_send, tape): (_, Option<Tape<_>>) = Bounded::default().arm(body);
/// let again = tape.and_then(Bounded::again);
/// assert_eq!(again.and_then(Full::into_inner), to_send.into_inner());
/// ```
pub struct Tape<B>(Kept<B>);

enum Kept<B> {
    Copy(B),
    Recorded(Recorded<B>),
}

struct Recorded<B> {
    reel: Arc<Reel<B>>,
    /// Both are made where it is known that `B` is boxed.
    is_whole: fn(&Reel<B>) -> bool,
    play: fn(&Reel<B>) -> Option<B>,
}

impl<B> Tape<B> {
    pub(super) fn copied(copy: B) -> Self {
        Self(Kept::Copy(copy))
    }

    /// The body to send, which is recorded on the tape.
    pub(super) fn recorded(body: B, bound: usize) -> (B, Self)
    where
        B: Boxed,
    {
        let reel = Arc::new(Reel::new(body, bound));
        let first = B::around(Recording(reel.clone()));
        let play = |reel: &Reel<B>| reel.play().map(B::around);
        let is_whole = Reel::is_whole;
        let recorded = Recorded {
            reel,
            is_whole,
            play,
        };
        (first, Self(Kept::Recorded(recorded)))
    }

    pub(super) fn is_whole(&self) -> bool {
        match &self.0 {
            Kept::Copy(_) => true,
            Kept::Recorded(recorded) => (recorded.is_whole)(&recorded.reel),
        }
    }

    pub(super) fn play(self) -> Option<B> {
        match self.0 {
            Kept::Copy(copy) => Some(copy),
            Kept::Recorded(recorded) => (recorded.play)(&recorded.reel),
        }
    }
}

impl<B> Drop for Recorded<B> {
    fn drop(&mut self) {
        self.reel.forget();
    }
}

impl<B> fmt::Debug for Tape<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}
