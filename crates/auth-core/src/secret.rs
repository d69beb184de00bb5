//! Secrets: wiped when dropped, never printed, never compared.

use std::{env, fmt, path::PathBuf};

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::Error;

/// A secret text. It is wiped when dropped. `Debug` is redacted. There is no `Display` and no
/// `PartialEq`.
///
/// ```
/// let secret = auth_core::SecretString::from("s3cr3t");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), "s3cr3t");
/// ```
#[derive(Clone)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Returns the text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A client's secret: a value, or a file that is read at each token request.
///
/// ```
/// use auth_core::ClientSecret;
///
/// let fixed = ClientSecret::from("s3cr3t");
/// assert!(ClientSecret::from_env("NO_SUCH_VARIABLE").is_err());
/// assert!(ClientSecret::from_file("/no/such/file").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct ClientSecret(SecretSource);

#[derive(Clone, Debug)]
enum SecretSource {
    Value(SecretString),
    File(PathBuf),
}

impl ClientSecret {
    /// Reads the secret from an environment variable, in this call only.
    ///
    /// # Errors
    /// If the variable is not set, empty, or not UTF-8.
    pub fn from_env(name: &str) -> Result<Self, Error> {
        let invalid = |what: &str| {
            Error::configuration(format!(
                "environment variable {name}: expected the client secret, but it is {what}"
            ))
        };
        match env::var(name) {
            Ok(value) if value.is_empty() => Err(invalid("empty")),
            Ok(value) => Ok(Self::from(value)),
            Err(env::VarError::NotPresent) => Err(invalid("not set")),
            Err(env::VarError::NotUnicode(_)) => Err(invalid("not UTF-8")),
        }
    }

    /// Reads the secret from a file, again at each token request. A rotated secret therefore needs
    /// no restart. After a denial the file is read once a second while a token is needed, and a changed
    /// secret ends the backoff. One line break at the end is not part of the secret.
    ///
    /// # Errors
    /// If the file cannot be read now, is empty, or is not UTF-8.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        read(&path)?;
        Ok(Self(SecretSource::File(path)))
    }

    /// Returns the current secret.
    pub(crate) async fn current(&self) -> Result<SecretString, Error> {
        match &self.0 {
            SecretSource::Value(value) => Ok(value.clone()),
            SecretSource::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                // the file was readable at construction, and may be in rotation now
                read.unwrap_or_else(|stopped| Err(Error::connection(stopped)))
                    .map_err(Error::transient)
            }
        }
    }

    /// Returns the secret, if it is known without reading a file.
    pub(crate) fn fixed(&self) -> Option<&SecretString> {
        match &self.0 {
            SecretSource::Value(value) => Some(value),
            SecretSource::File(_) => None,
        }
    }
}

impl<T: Into<SecretString>> From<T> for ClientSecret {
    fn from(value: T) -> Self {
        Self(SecretSource::Value(value.into()))
    }
}

fn read(path: &std::path::Path) -> Result<SecretString, Error> {
    let invalid = |what: &str| {
        Error::configuration(format!(
            "file {}: expected the client secret, but it {what}",
            path.display()
        ))
    };
    let bytes =
        Zeroizing::new(std::fs::read(path).map_err(|e| invalid("cannot be read").with_source(e))?);
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(invalid("is empty"));
    }
    Ok(SecretString::from(text))
}

/// The bytes of a header. `Bytes` stores its reference count next to its owner. The alignment keeps
/// the counts of two headers on different cache lines.
#[repr(align(128))]
struct HeaderBytes(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Returns `scheme` and `credentials` as a header value, marked sensitive and wiped when its last
/// clone is dropped. `None` if they hold a byte that a header must not hold.
pub(crate) fn credentials_header(scheme: &str, credentials: &str) -> Option<HeaderValue> {
    sensitive(&[scheme.as_bytes(), b" ", credentials.as_bytes()])
}

/// Returns the part of such a header value after its scheme.
pub(crate) fn credentials(header: &HeaderValue) -> &str {
    let value = header.to_str().unwrap_or_default();
    value
        .split_once(' ')
        .map_or("", |(_scheme, credentials)| credentials)
}

/// Copies a sensitive header value into memory of its own.
pub(crate) fn copied(value: &HeaderValue) -> HeaderValue {
    // the bytes of a header value are a valid header value
    sensitive(&[value.as_bytes()]).unwrap_or_else(|| value.clone())
}

fn sensitive(parts: &[&[u8]]) -> Option<HeaderValue> {
    // `concat` allocates once, so growing leaves no copy behind
    let bytes = HeaderBytes(Zeroizing::new(parts.concat()));
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_again_at_each_token_request() {
        let path = env::temp_dir().join(format!("auth-core-secret-{}", std::process::id()));
        std::fs::write(&path, "first\r\n").unwrap();
        let secret = ClientSecret::from_file(&path).unwrap();
        assert_eq!(secret.current().await.unwrap().expose(), "first");
        std::fs::write(&path, "second").unwrap();
        assert_eq!(secret.current().await.unwrap().expose(), "second");
        std::fs::remove_file(&path).unwrap();
        let error = secret.current().await.unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(error.is_transient(), "the file may be in rotation");
    }

    #[test]
    fn a_credentials_header_is_sensitive_and_checked() {
        let value = credentials_header("Bearer", "abc").unwrap();
        assert!(value.is_sensitive());
        assert_eq!(value, "Bearer abc");
        assert!(credentials_header("Bearer", "a\nb").is_none());
    }
}
