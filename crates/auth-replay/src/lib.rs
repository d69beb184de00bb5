#![doc = include_str!("../README.md")]

// `bounded` chooses, `known` lists the bodies it can keep. One that can only be read once goes to the
// first attempt as a `recording`; its frames and what is left of it are the second attempt's
// `playback`.
mod bounded;
mod boxed;
mod clone_body;
mod cut_short;
mod frames;
mod known;
mod never;
mod playback;
mod recording;
mod tape;

pub use bounded::Bounded;
pub use clone_body::CloneBody;
pub use never::Never;
pub use tape::Tape;

/// Any error.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps what a second sending of a body needs.
///
/// [`Bounded`] is the default, [`CloneBody`] is for bodies that can be cloned, [`Never`] for those
/// who want none of it. A body of your own can have its own:
///
/// ```
/// use auth_replay::Replay;
/// # struct FileBody(std::path::PathBuf);
/// # impl FileBody {
/// #     fn open(path: std::path::PathBuf) -> Option<Self> { Some(Self(path)) }
/// #     fn path(&self) -> std::path::PathBuf { self.0.clone() }
/// # }
///
/// /// Opens the file a second time.
/// #[derive(Clone)]
/// struct Reopen;
///
/// impl Replay<FileBody> for Reopen {
///     type Kept = std::path::PathBuf;
///
///     fn arm(&self, body: FileBody) -> (FileBody, Option<Self::Kept>) {
///         let path = body.path();
///         (body, Some(path))
///     }
///
///     fn again(path: Self::Kept) -> Option<FileBody> {
///         FileBody::open(path)
///     }
/// }
///
/// let (to_send, kept) = Reopen.arm(FileBody("/tmp/upload".into()));
/// let again = kept.and_then(Reopen::again);
/// # assert!(again.is_some());
/// ```
pub trait Replay<B>: Clone {
    /// What is kept beside the body that is being sent; dropped as soon as no replay is needed.
    type Kept;

    /// The body to send now and, where it can be sent again, what that takes.
    fn arm(&self, body: B) -> (B, Option<Self::Kept>);

    /// Whether [`again`](Self::again) would have a body, were it called now. Asked before anything is done for
    /// a second sending; the body may grow too long in the meantime.
    fn is_whole(kept: &Self::Kept) -> bool {
        let _ = kept;
        true
    }

    /// The body to send the second time: what the first was from its beginning to its end. The first
    /// attempt may still be under way.
    fn again(kept: Self::Kept) -> Option<B>;
}
