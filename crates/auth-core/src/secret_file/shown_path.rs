//! How a path is shown in errors and logs.

use std::{
    borrow::Cow,
    fmt,
    path::{Component, Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// The maximum length of a file's name on the usual file systems, in octets.
const MAX_NAME: usize = 255;

/// The minimum length of a text in base64 that is taken for a key, in characters. The smallest private
/// key in DER is one of Ed25519, of 64 characters.
const MIN_KEY: usize = 64;

/// The maximum length of an extension, in characters. A text with a dot further from its end may be a
/// secret.
const MAX_EXTENSION: usize = 8;

/// A path for errors and logs. If it looks like the content of a file, which may be a secret, it is not
/// shown.
#[derive(Clone, Debug)]
pub struct ShownPath(Result<PathBuf, Cow<'static, str>>);

impl ShownPath {
    /// Returns how `path` is shown, of which a caller gave the form `given`.
    pub(super) fn of(given: &Path, path: &Path) -> Self {
        let content = content(given).map(Cow::Borrowed);
        Self(match content.or_else(|| opaque(given).map(Cow::Owned)) {
            Some(what) => Err(what),
            None => Ok(path.to_owned()),
        })
    }

    /// Says what the path looks like, if that is the content of a file.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.0.as_ref().err().map(AsRef::as_ref)
    }
}

impl From<&Path> for ShownPath {
    fn from(path: &Path) -> Self {
        Self::of(path, path)
    }
}

impl fmt::Display for ShownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(path) => path.display().fmt(f),
            Err(what) => write!(f, "[path not shown: {what}]"),
        }
    }
}

/// Says what `path` looks like, if that is the content of a file.
fn content(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    let start = text.trim_start();
    if text.contains("-----BEGIN") {
        Some("PEM")
    } else if start.starts_with('{') {
        Some("JSON")
    } else if start.starts_with('<') {
        Some("XML")
    } else if text.contains(['\n', '\r']) {
        Some("a text with a line break")
    } else if is_jwt(&text) {
        Some("a JWT")
    } else if is_der(&text) {
        Some("a key in base64")
    } else if text.split(['/', '\\']).any(|name| name.len() > MAX_NAME) {
        Some("a text without a separator in 255 octets")
    } else {
        None
    }
}

/// Describes a text that nothing distinguishes from a secret: it begins with a name that does not exist
/// in the working directory, and has no extension. Half of the secrets in base64 contain a slash.
fn opaque(path: &Path) -> Option<String> {
    let Some(Component::Normal(first)) = path.components().next() else {
        return None;
    };
    let text = path.to_string_lossy();
    if text.starts_with('.') || has_extension(path) || Path::new(first).symlink_metadata().is_ok() {
        return None;
    }
    let length = text.chars().count();
    Some(format!(
        "a text of {length} characters that names no file; a path that begins with / or ./ is shown"
    ))
}

fn has_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    (1..=MAX_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|c| c.is_ascii_alphanumeric())
}

/// Returns whether the first of several segments is a JSON object in base64url.
fn is_jwt(text: &str) -> bool {
    let mut segments = text.split('.');
    let header = segments.next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    segments.count() >= 2 && header.first() == Some(&b'{')
}

/// Returns whether the text begins as a sequence of DER in base64, and is as long as a key.
fn is_der(text: &str) -> bool {
    let is_base64 = |c: u8| c.is_ascii_alphanumeric() || b"+/=".contains(&c);
    text.starts_with('M') && text.len() >= MIN_KEY && text.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_and_what_looks_like_content_is_not() {
        let nested = "/home/a/".to_owned() + &"directory-of-a-build/".repeat(20) + "key.pem";
        for path in [
            "/run/secrets/client.key.pem",
            "my.own.secret",
            "eyJ.key.pem",
            "C:\\keys\\client key.pem",
            "/keys/{tenant}/é.pem",
            "./MyKeys/client",
            "/MyKeys/client",
            ".client-secret",
            "client-secret.txt",
            "keys/client.pem",
            // they exist here
            "src",
            "src/client-secret",
            &nested,
        ] {
            assert_eq!(ShownPath::from(Path::new(path)).to_string(), path);
        }
        let der = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        let long = "s".repeat(256);
        for (content, what) in [
            ("-----BEGIN PRIVATE KEY-----\\nMC4C", "PEM"),
            (" {\"kty\":\"OKP\"}", "JSON"),
            ("<saml:Assertion/>", "XML"),
            ("s3cr3t\n", "a text with a line break"),
            ("e30.e30.c2ln", "a JWT"),
            ("eyJhbGciOiJub25lIn0.e30.", "a JWT"),
            (der, "a key in base64"),
            (&long, "a text without a separator in 255 octets"),
        ] {
            let shown = ShownPath::of(Path::new(content), &Path::new("/home").join(content));
            assert_eq!(shown.to_string(), format!("[path not shown: {what}]"));
            assert_eq!(shown.content(), Some(what));
        }
    }

    #[test]
    fn of_a_text_that_may_be_a_secret_only_the_length_is_shown() {
        for (secret, length) in [
            ("opaque-secret", 13),
            ("pässword", 8),
            ("correct horse battery", 21),
            ("s3cr3t/uY0e+w==", 15),
            ("q~8Q~s3cr3t.xYz~0aBcDeF-g", 25),
            ("s3cr3t.aVeryLongLastPart", 24),
            ("s3cr3t.", 7),
        ] {
            let shown = ShownPath::from(Path::new(secret)).to_string();
            let expected = format!("[path not shown: a text of {length} characters");
            assert!(shown.starts_with(&expected), "{secret}: {shown}");
        }
    }
}
