//! A client's secret: a value, or a file that is read at each token request.

mod file;
mod shared_read;

use std::{env, fmt, path::PathBuf, sync::Arc};

use self::file::SecretFile;
use crate::{Error, SecretString, credential_syntax::check_credential};

/// A client's secret: a value, or a file that is read at each token request.
///
/// # Characters
/// A secret consists of visible characters and spaces. [RFC 6749
/// A.2](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.2) permits those of ASCII; other visible
/// characters are accepted as well, because some servers issue them. These are errors:
///
/// - a control character, such as a line break, a tab or a NUL
/// - a byte order mark, a zero-width or bidirectional character, a variation selector and other
///   characters that show nothing
/// - a blank at either end, and a blank other than the space anywhere
/// - an empty text
///
/// The error names the place and the number of the character, never the secret.
/// [`from_env`](Self::from_env) and [`from_file`](Self::from_file) return it. A secret that is given
/// as a text is checked when the client is built.
///
/// ```
/// use auth_core::ClientSecret;
///
/// let fixed = ClientSecret::from("s3cr3t");
/// assert!(ClientSecret::from_env("NO_SUCH_VARIABLE").is_err());
/// assert!(ClientSecret::from_file("/no/such/file").is_err());
/// ```
#[derive(Clone)]
pub struct ClientSecret(SecretSource);

#[derive(Clone)]
enum SecretSource {
    Value(SecretString),
    File(Arc<SecretFile>),
}

impl ClientSecret {
    /// Reads the secret from an environment variable, in this call only.
    ///
    /// # Errors
    /// If the variable is not set, empty, or not UTF-8, or contains a character that no secret has.
    pub fn from_env(name: &str) -> Result<Self, Error> {
        let invalid = |what: &str| {
            Error::configuration(format!(
                "environment variable {name}: expected the client secret, but it is {what}"
            ))
        };
        match env::var(name) {
            Ok(value) if value.is_empty() => Err(invalid("empty")),
            Ok(value) => {
                let value = SecretString::from(value);
                let place = format!("client secret in environment variable {name}");
                check_credential(&place, value.expose())?;
                Ok(Self::from(value))
            }
            Err(env::VarError::NotPresent) => Err(invalid("not set")),
            Err(env::VarError::NotUnicode(_)) => Err(invalid("not UTF-8")),
        }
    }

    /// Reads the secret from a file, again at each token request. A rotated secret therefore needs
    /// no restart. After a denial the file is read once a second while a token is needed, and a changed
    /// secret ends the backoff. One line break at the end is not part of the secret.
    ///
    /// The file is a regular file of at most 64 KiB, or a link to one. On Unix a file that users other
    /// than its owner and its group may read or write draws one warning
    /// (`auth_core.secret_file_permissions`). A file on a read-only mount draws none (on Linux), nor does
    /// one in a volume of Kubernetes, which is readable to all by default (`defaultMode`): such a volume
    /// is recognized by its link `..data`. A file in it that others may write draws the warning.
    ///
    /// This call reads the file on its own thread, and blocks until it is read. A token request
    /// reads it on a thread made for that. At most one such read of a path is in flight in the
    /// process, and all token requests that need the secret wait for it. A read that hangs, as on a
    /// network mount without a server, therefore holds one thread, and each token request fails
    /// after its attempt timeout. At most 64 reads of all paths are in flight; further ones wait
    /// their turn.
    ///
    /// # Errors
    /// If the file cannot be read now, is not a regular file, is empty, is larger than 64 KiB, or is
    /// not UTF-8, or if the secret contains a character that no secret has. At a token request each
    /// of these is a transient error, because the file may be in rotation: the next token request
    /// reads it again.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = SecretFile::of(path.into());
        file.read_here()?;
        Ok(Self(SecretSource::File(file)))
    }

    /// Returns the current secret.
    pub(crate) async fn current(&self) -> Result<SecretString, Error> {
        match &self.0 {
            SecretSource::Value(value) => Ok(value.clone()),
            // the file was readable at construction, and may be in rotation now
            SecretSource::File(file) => file.read().await.map_err(Error::transient),
        }
    }

    /// Returns whether the secret is known without reading a file.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.0, SecretSource::Value(_))
    }

    /// Checks the secret, if it is known without reading a file. `place` begins the error's text.
    pub(crate) fn check(&self, place: &str) -> Result<(), Error> {
        match &self.0 {
            SecretSource::Value(value) if value.expose().is_empty() => Err(Error::configuration(
                "client secret: expected a secret, got an empty text",
            )),
            SecretSource::Value(value) => check_credential(place, value.expose()),
            SecretSource::File(_) => Ok(()),
        }
    }
}

impl<T: Into<SecretString>> From<T> for ClientSecret {
    fn from(value: T) -> Self {
        Self(SecretSource::Value(value.into()))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("ClientSecret");
        match &self.0 {
            SecretSource::Value(value) => shown.field(value),
            SecretSource::File(file) => shown.field(&file.path()),
        }
        .finish()
    }
}
