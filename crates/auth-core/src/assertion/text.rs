//! The text of an assertion.

use std::fmt;

use crate::{Error, SecretString};

/// The maximum size of an assertion, in bytes.
const MAX_ASSERTION: usize = 64 * 1024;

/// An assertion: usually a signed JWT (RFC 7523). It is a secret for as long as it is valid, and
/// `Debug` does not show it.
///
/// ```
/// use auth_core::Assertion;
///
/// let assertion = Assertion::new("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJteS1jbGllbnQifQ.c2ln")?;
/// assert_eq!(format!("{assertion:?}"), "Assertion { .. }");
/// assert!(Assertion::new("").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Assertion {
    text: SecretString,
    version: Option<u64>,
}

impl Assertion {
    /// Creates an assertion of 1 to 65,536 visible ASCII characters.
    ///
    /// # Errors
    /// A [`Configuration`](crate::ErrorKind::Configuration) error for another text. It does not show
    /// the text.
    pub fn new(text: impl Into<SecretString>) -> Result<Self, Error> {
        let text = text.into();
        let invalid = |what: String| {
            Error::configuration(format!(
                "assertion: expected 1 to 65,536 visible ASCII characters, got {what}"
            ))
        };
        let octets = text.expose().as_bytes();
        if octets.is_empty() {
            return Err(invalid("an empty text".into()));
        }
        if octets.len() > MAX_ASSERTION {
            return Err(invalid(format!("{} bytes", octets.len())));
        }
        if let Some(at) = octets.iter().position(|octet| !octet.is_ascii_graphic()) {
            let count = octets.len();
            return Err(invalid(format!(
                "another one as byte {} of {count}",
                at + 1
            )));
        }
        let version = None;
        Ok(Self { text, version })
    }

    /// Sets the version of the key or the file that the assertion was made with: a number that
    /// differs if the key or the file does, such as a keyed hash. See
    /// [`AssertionSource::version`](super::AssertionSource::version).
    #[must_use]
    pub fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns the version of what the assertion was made with. Default: `None`, not known.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.text
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_of_other_characters_is_an_error_that_does_not_show_it() {
        for (text, told) in [
            ("", "an empty text"),
            ("s3cr3t jwt", "byte 7 of 10"),
            ("s3cr3t\n", "byte 7 of 7"),
            ("s3cr3té", "byte 7 of 8"),
            (&"s3cr3t".repeat(11_000), "66000 bytes"),
        ] {
            let error = Assertion::new(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }
}
