use std::{
    any::type_name,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{Replay, Tape, known};

/// Keeps what has been sent of a body, up to a number of bytes: 64 KiB unless told otherwise.
///
/// It knows these bodies by their types:
/// - `http_body_util`'s `Full<Bytes>` and `Empty<Bytes>`, and `String`: cloned;
/// - `http_body_util`'s `BoxBody<Bytes, E>` and `UnsyncBoxBody<Bytes, E>`, where `E` is `Infallible`,
///   `std::io::Error`, `hyper::Error`, `Box<dyn Error + Send + Sync>` or (feature `tonic`)
///   `tonic::Status`, and `tonic::body::Body`: recorded while they are sent.
///
/// Any other is sent once, which a warning tells, once per layer: box it, or use
/// [`CloneBody`](crate::CloneBody) or a [`Replay`] of your own.
///
/// ```
/// use auth_replay::Bounded;
///
/// let replay = Bounded::new(1024 * 1024);
/// assert_eq!(replay.bytes(), 1024 * 1024);
/// ```
///
/// # What is recorded, and its limits
/// - Each frame goes on at once; a reference to it is kept. When a request is refused before all of
///   its body was sent, the replay sends the frames that were kept, then goes on with the rest. The
///   first attempt cannot have that any more and fails, so that nobody takes it for complete. Where
///   its error is `Infallible` or `hyper::Error`, of which none can be made, a request whose body is
///   still being sent is not replayed: for a body that streams, choose another error.
/// - A body is kept until its data and trailers exceed the bound, or until there are more frames
///   than 16 and one for every 64 bytes of the bound, which is what each may cost beside its bytes.
///   Then the frames are let go and the rest passes unrecorded: no replay. A body that announces a
///   size beyond the bound is never recorded.
/// - A frame that is a small slice of a large buffer keeps all of the buffer, which the bound does
///   not see.
/// - No replay either after an error or a panic of the body itself, or if a frame follows trailers.
#[derive(Clone)]
pub struct Bounded {
    bytes: usize,
    /// Whether it was told that a body is unknown; the layer and its services share it.
    told: Arc<AtomicBool>,
}

impl Bounded {
    /// Keeps up to `bytes` bytes of each body that is under way.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes,
            told: Arc::default(),
        }
    }

    /// The bound, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Not under a lock: a subscriber may well send requests through this very layer.
    #[cold]
    fn unknown(&self, body: &'static str) {
        if !self.told.swap(true, Relaxed) {
            tracing::warn!(
                target: "auth_replay",
                body,
                "requests with a body of this type are sent once, even if their token is refused: \
                 the layer does not know how to keep it"
            );
        }
    }
}

impl Default for Bounded {
    /// 64 KiB.
    fn default() -> Self {
        Self::new(64 * 1024)
    }
}

impl<B: 'static> Replay<B> for Bounded {
    type Kept = Tape<B>;

    fn arm(&self, body: B) -> (B, Option<Tape<B>>) {
        let mut armed = (body, None);
        if !known::arm(&mut armed, self.bytes) && !self.told.load(Relaxed) {
            self.unknown(type_name::<B>());
        }
        armed
    }

    fn is_whole(kept: &Tape<B>) -> bool {
        kept.is_whole()
    }

    fn again(kept: Tape<B>) -> Option<B> {
        kept.play()
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bounded").field(&self.bytes).finish()
    }
}
