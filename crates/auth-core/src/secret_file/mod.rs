//! Files that hold a secret, a key or an assertion, and are read again at each token request.

mod mode;
mod shared_read;
mod shown_path;

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::{self, Read},
    mem,
    path::{self, Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use zeroize::Zeroizing;

use self::shared_read::SharedRead;
pub use self::{mode::open_to_others, shown_path::ShownPath};
use crate::{Error, SecretString, events};

/// The maximum size of a secret's file, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// A file that holds a secret. All users of one path share it.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    shown: ShownPath,
    read: SharedRead<Result<Content, Fault>>,
    /// Whether the warning about the file's permissions was logged.
    warned: AtomicBool,
}

/// The text of a file. `Debug` does not show it.
#[derive(Clone, Debug)]
struct Content {
    text: SecretString,
    /// The file's mode if it is worth a warning.
    open_mode: Option<u32>,
}

/// The reason why a file cannot be used. It completes the sentence "it …".
#[derive(Clone, Debug)]
struct Fault {
    what: &'static str,
    source: Option<Arc<io::Error>>,
}

impl SecretFile {
    /// Returns the file at `path`, the same one for each equal path.
    pub fn of(path: impl Into<PathBuf>) -> Arc<Self> {
        static FILES: LazyLock<Mutex<HashMap<PathBuf, Weak<SecretFile>>>> =
            LazyLock::new(Mutex::default);
        let given = path.into();
        let path = path::absolute(&given).unwrap_or_else(|_| given.clone());
        // may look at the file system, and is therefore not under the lock
        let shown = ShownPath::of(&given, &path);
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&path).and_then(Weak::upgrade) {
            return file;
        }
        files.retain(|_, file| file.strong_count() > 0);
        let file = Arc::new(Self {
            path: path.clone(),
            shown,
            read: SharedRead::default(),
            warned: AtomicBool::new(false),
        });
        files.insert(path, Arc::downgrade(&file));
        file
    }

    /// Returns the absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path for errors and logs.
    #[must_use]
    pub fn shown(&self) -> &ShownPath {
        &self.shown
    }

    /// Reads the file on the caller's thread. `what` names its content in an error.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, is empty, larger than 64 KiB or not UTF-8.
    pub fn read_here(&self, what: &str) -> Result<SecretString, Error> {
        self.text(what, read(&self.path))
    }

    /// Waits for the read in flight, or else starts one. One line break at the end is left out.
    ///
    /// # Errors
    /// Those of [`read_here`](Self::read_here).
    pub async fn read(&self, what: &str) -> Result<SecretString, Error> {
        let path = self.path.clone();
        let unread = WarnIfDropped(&self.shown);
        let content = self.read.join(move || read(&path)).await;
        mem::forget(unread);
        self.text(
            what,
            content.unwrap_or_else(|stopped| Err(Fault::unreadable(stopped))),
        )
    }

    /// Returns the error that the file does not hold `what`.
    #[must_use]
    pub fn invalid(&self, what: &str, fault: &str) -> Error {
        Error::configuration(format!(
            "file {}: expected the {what}, but it {fault}",
            self.shown
        ))
    }

    /// Returns the text. Warns once about the permissions.
    fn text(&self, what: &str, content: Result<Content, Fault>) -> Result<SecretString, Error> {
        let content = content.map_err(|fault| match (fault.source, self.shown.content()) {
            (Some(source), None) => self.invalid(what, fault.what).with_source(source),
            (Some(source), Some(content)) => not_a_path(what, content).with_source(source),
            (None, _) => self.invalid(what, fault.what),
        })?;
        if let Some(mode) = content.open_mode
            && !self.warned.swap(true, Relaxed)
        {
            events::secret_file_permissions(&self.shown, mode);
        }
        Ok(content.text)
    }
}

/// Returns the error that a caller gave the content of a file in the place of its path.
fn not_a_path(what: &str, content: &str) -> Error {
    Error::configuration(format!(
        "{what}: expected the path of its file, got what looks like the content of one ({content})"
    ))
}

/// Logs that a caller has stopped to wait for the read: the error of its token request states only
/// the attempt timeout.
struct WarnIfDropped<'a>(&'a ShownPath);

impl Drop for WarnIfDropped<'_> {
    fn drop(&mut self) {
        events::secret_file_unread(self.0);
    }
}

impl Fault {
    fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    fn unreadable(source: io::Error) -> Self {
        Self {
            what: "cannot be read",
            source: Some(Arc::new(source)),
        }
    }

    fn is_missing(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

fn read(path: &Path) -> Result<Content, Fault> {
    twice_if_missing(|| read_once(path))
}

/// Reads once more if there is no file. Kubernetes replaces a volume by renaming a link, and then removes the
/// directory of the last link: a read that has followed the last link finds no file in it.
fn twice_if_missing<T>(read: impl Fn() -> Result<T, Fault>) -> Result<T, Fault> {
    match read() {
        Err(fault) if fault.is_missing() => read(),
        outcome => outcome,
    }
}

fn read_once(path: &Path) -> Result<Content, Fault> {
    // before the file is opened: opening a FIFO waits for its writer
    check_type(&path.metadata().map_err(Fault::unreadable)?)?;
    let file = File::open(path).map_err(Fault::unreadable)?;
    let metadata = file.metadata().map_err(Fault::unreadable)?;
    check_type(&metadata)?;
    // allocated once, so that growing leaves no copy behind
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SIZE as usize + 1));
    let mut limited = (&file).take(MAX_SIZE + 1);
    limited.read_to_end(&mut bytes).map_err(Fault::unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(Fault::new("is larger than 64 KiB"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::new("is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Fault::new("is empty"));
    }
    Ok(Content {
        text: SecretString::from(text),
        open_mode: open_to_others(path, &file, &metadata),
    })
}

fn check_type(metadata: &Metadata) -> Result<(), Fault> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(Fault::new(file_type(metadata))),
    }
}

#[cfg(unix)]
fn file_type(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    let file_type = metadata.file_type();
    if file_type.is_dir() {
        "is a directory; expected a regular file"
    } else if file_type.is_fifo() {
        "is a FIFO; expected a regular file"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "is a device; expected a regular file"
    } else if file_type.is_socket() {
        "is a socket; expected a regular file"
    } else {
        "is no file; expected a regular file"
    }
}

#[cfg(not(unix))]
fn file_type(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "is a directory; expected a regular file"
    } else {
        "is no file; expected a regular file"
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process, sync::atomic::AtomicUsize};

    use async_trait::async_trait;
    use bytes::Bytes;
    use http::{Request, Response};

    use super::*;
    use crate::{
        ClientCredentials, ClientSecret, ErrorKind, HttpTransport, TokenCache, TransportBody,
    };

    #[derive(Debug)]
    struct Issues;

    #[async_trait]
    impl HttpTransport for Issues {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
            let token = r#"{"access_token":"abc","token_type":"Bearer"}"#;
            let body = http_body_util::Full::new(Bytes::from_static(token.as_bytes()));
            Ok(Response::new(TransportBody::new(body)))
        }
    }

    /// As on a network mount without a server.
    #[tokio::test(start_paused = true)]
    async fn a_read_that_hangs_fails_each_token_request_in_time_and_holds_one_thread() {
        let path = env::temp_dir().join(format!("auth-core-secret-hangs-{}", process::id()));
        fs::write(&path, "s3cr3t").unwrap();
        let secret = ClientSecret::from_file(&path).unwrap();
        let file = SecretFile::of(&path);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let hung = file.read.join(move || {
            let _ = released.recv();
            let text = SecretString::from("s3cr3t");
            let open_mode = None;
            Ok(Content { text, open_mode })
        });
        let mut hung = tokio_test::task::spawn(hung);
        tokio_test::assert_pending!(hung.poll());
        let source =
            ClientCredentials::builder("https://as.example/token", "id", secret.clone().into());
        let source = source.build(Issues).unwrap();
        // caches of several clients with the same file; each fails by its own attempt timeout
        for _ in 0..3 {
            let tokens = TokenCache::new(source.clone());
            for _ in 0..3 {
                let error = tokens.token().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                assert!(error.to_string().contains("client secret"), "{error}");
                tokens.clear_backoff();
            }
        }
        drop(release);
        // the read in flight was the only one: it gives its secret to the next caller
        assert!(hung.await.unwrap().is_ok());
        // the paused clock would skip ahead while the file is read
        tokio::time::resume();
        TokenCache::new(source).token().await.unwrap();
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_missing_is_looked_for_once_more_and_no_other_failure_is_repeated() {
        let read = |failures: &[io::ErrorKind]| {
            let reads = AtomicUsize::new(0);
            let outcome = twice_if_missing(|| match failures.get(reads.fetch_add(1, Relaxed)) {
                Some(kind) => Err(Fault::unreadable((*kind).into())),
                None => Ok(()),
            });
            (outcome.is_ok(), reads.into_inner())
        };
        let missing = io::ErrorKind::NotFound;
        assert_eq!(read(&[]), (true, 1));
        assert_eq!(read(&[missing]), (true, 2));
        assert_eq!(read(&[missing; 3]), (false, 2));
        assert_eq!(read(&[io::ErrorKind::PermissionDenied]), (false, 1));
    }

    #[test]
    fn users_of_one_path_share_their_file() {
        let one = SecretFile::of("/no/such/secret");
        let same = SecretFile::of("/no/such/secret");
        let other = SecretFile::of("/no/such/other");
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        let path = env::current_dir().unwrap().join("relative-secret");
        let relative = SecretFile::of("relative-secret");
        assert!(Arc::ptr_eq(&relative, &SecretFile::of(path)));
    }
}
