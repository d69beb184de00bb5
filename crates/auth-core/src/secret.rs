//! Secrets: wiped when dropped, never printed, never compared.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

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

/// The bytes of a header. `Bytes` stores its reference count in front of its owner. The alignment
/// puts the count on a cache line of its own.
#[repr(align(64))]
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

    #[test]
    fn a_credentials_header_is_sensitive_and_checked() {
        let value = credentials_header("Bearer", "abc").unwrap();
        assert!(value.is_sensitive());
        assert_eq!(value, "Bearer abc");
        assert!(credentials_header("Bearer", "a\nb").is_none());
    }
}
