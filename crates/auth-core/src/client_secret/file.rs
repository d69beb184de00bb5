//! Files that hold a secret.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::Read,
    path::{self, Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use zeroize::Zeroizing;

use super::shared_read::SharedRead;
use crate::{Error, SecretString, credential_syntax::check_credential, events};

/// The maximum size of a secret's file, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// The secret of a file, and the file's permissions if others than the owner have any.
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
        let content = self.read.join(move || read(&path)).await;
        let content = content
            .map_err(|stopped| invalid(&self.path, "cannot be read").with_source(stopped))?;
        content.map(|content| self.secret(content))
    }

    /// Returns the secret. Warns once about the permissions.
    fn secret(&self, (secret, mode_for_others): Content) -> SecretString {
        if let Some(mode) = mode_for_others
            && !self.warned.swap(true, Relaxed)
        {
            events::secret_file_permissions(&self.path.display(), mode);
        }
        secret
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
    let mut limited = file.take(MAX_SIZE + 1);
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
    Ok((SecretString::from(text), mode_for_others(&metadata)))
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

/// Returns the permissions, if others than the owner have any.
#[cfg(unix)]
fn mode_for_others(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn mode_for_others(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;
    use crate::ClientSecret;

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
