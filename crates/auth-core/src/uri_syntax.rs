//! The syntax of URIs (RFC 3986), as far as this crate checks it.

use std::fmt;

/// The fault of a text that is not a URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SyntaxError {
    /// A character that no URI contains.
    Character(char),
    /// A `%` without two hexadecimal digits.
    Percent,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(c) => write!(f, "the character {c:?}, which must be percent-encoded"),
            Self::Percent => f.write_str("a % that is not followed by two hexadecimal digits"),
        }
    }
}

/// Splits a URI at the colon after its scheme. `None` if it has no scheme.
pub(crate) fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let mut octets = scheme.bytes();
    let is_scheme = octets
        .next()
        .is_some_and(|octet| octet.is_ascii_alphabetic())
        && octets.all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    is_scheme.then_some((scheme, rest))
}

/// Checks that `text` consists of the characters of URIs (RFC 3986 §2).
pub(crate) fn check_characters(text: &str) -> Result<(), SyntaxError> {
    let is_hex = |octet: Option<&u8>| octet.is_some_and(u8::is_ascii_hexdigit);
    for (i, c) in text.char_indices() {
        match c {
            '%' => {
                let octets = text.as_bytes();
                if !is_hex(octets.get(i + 1)) || !is_hex(octets.get(i + 2)) {
                    return Err(SyntaxError::Percent);
                }
            }
            c if c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=".contains(c) => {}
            c => return Err(SyntaxError::Character(c)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3986_3_1_a_scheme_begins_with_a_letter() {
        assert_eq!(split_scheme("urn:a:b"), Some(("urn", "a:b")));
        assert_eq!(split_scheme("a+b-1.c:"), Some(("a+b-1.c", "")));
        for none in ["", "/api", ":a", "1a:b", "a b:c", "\u{e9}:x", "//host:1/"] {
            assert_eq!(split_scheme(none), None, "{none}");
        }
    }

    #[test]
    fn rfc3986_2_characters() {
        assert_eq!(check_characters("/a-._~%2F?b=[1]&c='(*)'+,;@:!$#d"), Ok(()));
        for c in [
            ' ', '\t', '\n', '\\', '"', '<', '>', '^', '`', '{', '|', '}', '\u{e9}',
        ] {
            let text = format!("/a{c}b");
            assert_eq!(check_characters(&text), Err(SyntaxError::Character(c)));
        }
        for text in ["%", "%2", "%2g", "a%\u{e9}", "%%41"] {
            assert_eq!(check_characters(text), Err(SyntaxError::Percent), "{text}");
        }
    }
}
