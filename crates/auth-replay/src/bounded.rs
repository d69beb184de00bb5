use std::{
    any::type_name,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{recording::Recording, replay::Replay, supported_bodies};

/// Keeps the part of a body that has been sent, up to a number of bytes. Default: 64 KiB.
///
/// It recognizes these body types:
/// - `http_body_util`'s `Full<Bytes>` and `Empty<Bytes>`, and `String`, which it clones;
/// - `http_body_util`'s `BoxBody<Bytes, E>` and `UnsyncBoxBody<Bytes, E>`, where `E` is `Infallible`,
///   `std::io::Error`, `hyper::Error`, `Box<dyn Error + Send + Sync>` or (feature `tonic`)
///   `tonic::Status`, and `tonic::body::Body`, which it records while they are sent.
///
/// A request with a body of another type is sent once, and a warning names the type, once per layer.
/// Box such a body, or use [`CloneBody`](crate::CloneBody) or a [`Replay`] strategy of your own.
///
/// ```
/// use auth_replay::Bounded;
///
/// let replay = Bounded::new(1024 * 1024);
/// assert_eq!(replay.bytes(), 1024 * 1024);
/// ```
///
/// # What is recorded, and its limits
/// - Each frame is sent at once, and the recording keeps a reference to it. If the API rejects the
///   token before the whole body was sent, the replay sends the recorded frames and then the rest of
///   the body. The first attempt then fails, so that the API does not take it for complete. The error
///   types `Infallible` and `hyper::Error` have no value for that failure, so a request with such a
///   body is not replayed while the body is still being sent. Choose another error type for a body that
///   streams.
/// - The recording ends when the data and trailers exceed the bound, or when there are more frames
///   than 16 plus one for every 64 bytes of the bound (a frame costs about 64 bytes besides its data).
///   The frames are then freed, the rest is sent unrecorded, and the request is not replayed. A body
///   that announces a size beyond the bound is never recorded.
/// - A frame that is a small slice of a large buffer keeps the whole buffer alive. The bound counts
///   the slice only.
/// - A request is not replayed after its body returned an error, panicked, or sent a frame after its
///   trailers.
#[derive(Clone)]
pub struct Bounded {
    bytes: usize,
    /// Whether the warning about an unsupported body was logged. The layer and its services share it.
    warned: Arc<AtomicBool>,
}

impl Bounded {
    /// Keeps up to `bytes` bytes of each body that is being sent.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes,
            warned: Arc::default(),
        }
    }

    /// Returns the bound, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Logs without a lock, because a subscriber may send requests through the same layer.
    #[cold]
    fn warn_unsupported(&self, body: &'static str) {
        if !self.warned.swap(true, Relaxed) {
            tracing::warn!(
                target: "auth_replay",
                body,
                "requests with a body of this type are not replayed if the API rejects their token; \
                 box the body, or choose another replay strategy"
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
    type Recording = Recording<B>;

    fn record(&self, body: B) -> (B, Option<Recording<B>>) {
        let mut recorded = (body, None);
        let is_supported = supported_bodies::record(&mut recorded, self.bytes);
        if !is_supported && !self.warned.load(Relaxed) {
            self.warn_unsupported(type_name::<B>());
        }
        recorded
    }

    fn is_replayable(recording: &Recording<B>) -> bool {
        recording.is_replayable()
    }

    fn replay(recording: Recording<B>) -> Option<B> {
        recording.replay()
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bounded").field(&self.bytes).finish()
    }
}
