//! Files that hold a secret.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::Read,
    mem,
    path::{self, Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use zeroize::Zeroizing;

use super::shared_read::SharedRead;
use crate::{
    Error, SecretString, credential_syntax::check_credential, events,
    secret_file_mode::open_to_others,
};

/// The maximum size of a secret's file, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// The secret of a file, and the file's mode if it is worth a warning.
type Content = (SecretString, Option<u32>);

/// A file that holds a secret. All secrets of one path share it.
pub(super) struct SecretFile {
    path: PathBuf,
    read: SharedRead<Result<Content, Error>>,
    /// Whether the warning about the file's permissions was logged.
    warned: AtomicBool,
}

impl SecretFile {
    /// Returns the file at `path`, the same one for each equal path.
    pub(super) fn of(path: PathBuf) -> Arc<Self> {
        static FILES: LazyLock<Mutex<HashMap<PathBuf, Weak<SecretFile>>>> =
            LazyLock::new(Mutex::default);
        let path = path::absolute(&path).unwrap_or(path);
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&path).and_then(Weak::upgrade) {
            return file;
        }
        files.retain(|_, file| file.strong_count() > 0);
        let file = Arc::new(Self {
            path: path.clone(),
            read: SharedRead::default(),
            warned: AtomicBool::new(false),
        });
        files.insert(path, Arc::downgrade(&file));
        file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file on the caller's thread.
    pub(super) fn read_here(&self) -> Result<SecretString, Error> {
        read(&self.path).map(|content| self.secret(content))
    }

    /// Waits for the read in flight, or else starts one.
    pub(super) async fn read(&self) -> Result<SecretString, Error> {
        let path = self.path.clone();
        let unread = WarnIfDropped(&self.path);
        let content = self.read.join(move || read(&path)).await;
        mem::forget(unread);
        let content = content
            .map_err(|stopped| invalid(&self.path, "cannot be read").with_source(stopped))?;
        content.map(|content| self.secret(content))
    }

    /// Returns the secret. Warns once about the permissions.
    fn secret(&self, (secret, open_mode): Content) -> SecretString {
        if let Some(mode) = open_mode
            && !self.warned.swap(true, Relaxed)
        {
            events::secret_file_permissions(&self.path.display(), mode);
        }
        secret
    }
}

/// Logs that a caller has stopped to wait for the read: the error of its token request states only
/// the attempt timeout.
struct WarnIfDropped<'a>(&'a Path);

impl Drop for WarnIfDropped<'_> {
    fn drop(&mut self) {
        events::secret_file_unread(&self.0.display());
    }
}

fn invalid(path: &Path, what: &str) -> Error {
    Error::configuration(format!(
        "file {}: expected the client secret, but it {what}",
        path.display()
    ))
}

fn read(path: &Path) -> Result<Content, Error> {
    let invalid = |what: &str| invalid(path, what);
    let unreadable = |error| invalid("cannot be read").with_source(error);
    // before the file is opened: opening a FIFO waits for its writer
    check_type(path, &path.metadata().map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    check_type(path, &metadata)?;
    // allocated once, so that growing leaves no copy behind
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SIZE as usize + 1));
    let mut limited = (&file).take(MAX_SIZE + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(invalid("is larger than 64 KiB"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(invalid("is empty"));
    }
    let place = format!("client secret in file {}", path.display());
    check_credential(&place, text)?;
    let mode = open_to_others(path, &file, &metadata);
    Ok((SecretString::from(text), mode))
}

fn check_type(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = file_type(metadata);
    let what = format!("is {what}; expected a regular file");
    Err(invalid(path, &what))
}

#[cfg(unix)]
fn file_type(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    let file_type = metadata.file_type();
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "a device"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "no file"
    }
}

#[cfg(not(unix))]
fn file_type(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "a directory"
    } else {
        "no file"
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use async_trait::async_trait;
    use bytes::Bytes;
    use http::{Request, Response};

    use super::*;
    use crate::{
        ClientCredentials, ClientSecret, ErrorKind, HttpTransport, TokenCache, TransportBody,
        client_secret::SecretSource,
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
        let path = temporary("hangs");
        fs::write(&path, "s3cr3t").unwrap();
        let secret = ClientSecret::from_file(&path).unwrap();
        let SecretSource::File(file) = &secret.0 else {
            panic!("expected a file");
        };
        let (release, released) = std::sync::mpsc::channel::<()>();
        let hung = file.read.join(move || {
            let _ = released.recv();
            Ok((SecretString::from("s3cr3t"), None))
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

    fn temporary(name: &str) -> PathBuf {
        env::temp_dir().join(format!("auth-core-secret-{name}-{}", process::id()))
    }

    #[tokio::test]
    async fn a_file_is_read_again_at_each_token_request() {
        let path = temporary("again");
        fs::write(&path, "first\r\n").unwrap();
        let secret = ClientSecret::from_file(&path).unwrap();
        assert_eq!(secret.current().await.unwrap().expose(), "first");
        fs::write(&path, "second").unwrap();
        assert_eq!(secret.current().await.unwrap().expose(), "second");
        fs::remove_file(&path).unwrap();
        let error = secret.current().await.unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(error.is_transient(), "the file may be in rotation");
    }

    #[test]
    fn secrets_of_one_path_share_their_file() {
        let one = SecretFile::of("/no/such/secret".into());
        let same = SecretFile::of("/no/such/secret".into());
        let other = SecretFile::of("/no/such/other".into());
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        let path = env::current_dir().unwrap().join("relative-secret");
        let relative = SecretFile::of("relative-secret".into());
        assert!(Arc::ptr_eq(&relative, &SecretFile::of(path)));
    }
}
