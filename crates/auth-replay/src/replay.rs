/// A strategy that keeps what the replay of a request body needs.
///
/// [`Bounded`](crate::Bounded) is the default, [`CloneBody`](crate::CloneBody) is for body types that
/// are cheap to clone, and [`NoReplay`](crate::NoReplay) turns replays off. Other body types can have
/// a strategy of their own:
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
///     type Recording = std::path::PathBuf;
///
///     fn record(&self, body: FileBody) -> (FileBody, Option<Self::Recording>) {
///         let path = body.path();
///         (body, Some(path))
///     }
///
///     fn replay(path: Self::Recording) -> Option<FileBody> {
///         FileBody::open(path)
///     }
/// }
///
/// let (to_send, recording) = Reopen.record(FileBody("/tmp/upload".into()));
/// let second = recording.and_then(Reopen::replay);
/// # assert!(second.is_some());
/// ```
pub trait Replay<B>: Clone {
    /// The data that is kept while the body is being sent: a clone, the frames sent so far, a file's
    /// path. It is dropped as soon as the request needs no replay.
    ///
    /// A type without values, such as [`Infallible`](std::convert::Infallible), tells the client that
    /// no request is ever replayed.
    type Recording;

    /// Returns the body to send now and its recording, or `None` if the body cannot be replayed.
    fn record(&self, body: B) -> (B, Option<Self::Recording>);

    /// Returns whether [`replay`](Self::replay) would return a body if it were called now. The client
    /// asks before it requests another token. A later `replay` may still return `None`, because the
    /// body that is being sent may outgrow its bound. Default: `true`.
    fn is_replayable(recording: &Self::Recording) -> bool {
        let _ = recording;
        true
    }

    /// Returns the body of the replay: everything that the first body consists of, from its beginning
    /// to its end. The first attempt may still be in flight. `None` if the body cannot be replayed.
    fn replay(recording: Self::Recording) -> Option<B>;
}
