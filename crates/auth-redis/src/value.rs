//! What stands under the name of a token: `auth1:<key id>:<lifetime in ms>:<body>`.
//!
//! The head is in the clear, for the script that saves, and is sealed against changes. The body is
//! the [`payload`], sealed or not.

use std::time::Duration;

use auth_core::SharedToken;
use zeroize::Zeroizing;

/// Format and version.
pub(crate) const FORMAT: &str = "auth1";
const FAMILY: &str = "auth";

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unreadable {
    /// Of another Redis type than a string.
    Type,
    /// Not written by this library.
    Foreign,
    /// Written by another version of this library.
    Version,
    /// Sealed with a key that is not in the ring, or not sealed where it should be.
    Key,
    /// Changed, or sealed for another name.
    Seal,
    /// Sealed by us, and not a token all the same.
    Token,
    /// Larger than any token.
    Size,
    /// Kept for ever, or for longer than the token lives.
    Expiry,
}

impl Unreadable {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Type => "it is not a string",
            Self::Foreign => "something else wrote it",
            Self::Version => "another version wrote it",
            Self::Key => "it was sealed with an unknown key, or is not sealed",
            Self::Seal => "its seal is broken",
            Self::Token => "it holds no token",
            Self::Size => "it is larger than 1 MiB",
            Self::Expiry => "it is kept for longer than its token lives",
        }
    }
}

/// The head of a value: it tells by which key the body is sealed, and how long the token lives.
pub(crate) fn head(key_id: &str, lifetime: Duration) -> String {
    let lifetime = millis(lifetime);
    format!("{FORMAT}:{key_id}:{lifetime}:")
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

/// A value, taken apart.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) key_id: &'a str,
    pub(crate) lifetime: Duration,
    pub(crate) body: &'a [u8],
}

impl<'a> Value<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Unreadable> {
        let mut parts = value.splitn(4, |byte| *byte == b':');
        let mut text = || std::str::from_utf8(parts.next()?).ok();
        let (format, key_id, lifetime) = (text(), text(), text());
        if format != Some(FORMAT) {
            let number = format.and_then(|format| format.strip_prefix(FAMILY));
            let is_ours = number.is_some_and(|number| number.parse::<u32>().is_ok());
            return Err(if is_ours {
                Unreadable::Version
            } else {
                Unreadable::Foreign
            });
        }
        let (Some(key_id), Some(lifetime), Some(body)) = (key_id, lifetime, parts.next()) else {
            return Err(Unreadable::Foreign);
        };
        let head = &value[..value.len() - body.len()];
        let millis = lifetime.parse().map_err(|_| Unreadable::Foreign)?;
        Ok(Self {
            head,
            key_id,
            lifetime: Duration::from_millis(millis),
            body,
        })
    }
}

/// The token and the scopes that were granted, if told: `0 <token>` or `1 <length> <scopes> <token>`.
pub(crate) fn payload(token: &SharedToken) -> Zeroizing<Vec<u8>> {
    let mut payload = Zeroizing::new(Vec::with_capacity(token.secret().len() + 256));
    match token.granted() {
        None => payload.push(0),
        Some(scopes) => {
            let scopes = scopes.to_string();
            payload.push(1);
            payload.extend_from_slice(&(scopes.len() as u64).to_be_bytes());
            payload.extend_from_slice(scopes.as_bytes());
        }
    }
    payload.extend_from_slice(token.secret().as_bytes());
    payload
}

/// The token in a payload, without its times.
pub(crate) fn token(payload: &[u8]) -> Option<SharedToken> {
    let (told, rest) = payload.split_first()?;
    let (scopes, token) = match told {
        0 => (None, rest),
        1 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u64::from_be_bytes(*length).try_into().ok()?;
            let (scopes, token) = rest.split_at_checked(length)?;
            (Some(std::str::from_utf8(scopes).ok()?), token)
        }
        _ => return None,
    };
    let token = SharedToken::bearer(std::str::from_utf8(token).ok()?).ok()?;
    Some(match scopes {
        Some(scopes) => token.scope(scopes),
        None => token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_its_key_and_its_lifetime() {
        let head = head("0123456789abcdef", Duration::from_millis(600_001));
        assert_eq!(head, "auth1:0123456789abcdef:600001:");
        let value = [head.as_bytes(), b"a:b"].concat();
        let value = Value::parse(&value).unwrap();
        assert_eq!(value.head, head.as_bytes());
        assert_eq!(value.key_id, "0123456789abcdef");
        assert_eq!(value.lifetime, Duration::from_millis(600_001));
        assert_eq!(value.body, b"a:b");
    }

    #[test]
    fn what_is_not_ours_is_told_from_what_is_of_another_version() {
        for (value, expected) in [
            (&b""[..], Unreadable::Foreign),
            (b"something else", Unreadable::Foreign),
            (b"auth1", Unreadable::Foreign),
            (b"auth1:plain", Unreadable::Foreign),
            (b"auth1:plain:600", Unreadable::Foreign),
            (b"auth1:plain:-1:abc", Unreadable::Foreign),
            (b"auth1:plain:long:abc", Unreadable::Foreign),
            (b"auth1:plain:99999999999999999999:abc", Unreadable::Foreign),
            (b"\xff:plain:600:abc", Unreadable::Foreign),
            (b"authority:plain:600:abc", Unreadable::Foreign),
            (b"auth2:plain:600:abc", Unreadable::Version),
            (b"auth10:abc", Unreadable::Version),
        ] {
            let shown = String::from_utf8_lossy(value);
            assert_eq!(Value::parse(value).unwrap_err(), expected, "{shown}");
        }
    }

    #[test]
    fn a_payload_holds_the_token_and_its_scopes() {
        for scope in [None, Some(""), Some("read"), Some("read write")] {
            let bearer = SharedToken::bearer("abc").unwrap();
            let given = match scope {
                Some(scope) => bearer.scope(scope),
                None => bearer,
            };
            let found = token(&payload(&given)).unwrap();
            assert_eq!(found.secret(), "abc");
            assert_eq!(found.granted(), given.granted(), "{scope:?}");
        }
    }

    #[test]
    fn what_is_no_payload_is_no_token() {
        for payload in [
            &b""[..],
            b"\0",
            b"\0a b",
            b"\0\xff",
            b"\x01",
            b"\x01\0\0\0\0\0\0\0",
            b"\x01\0\0\0\0\0\0\0\x08readabc",
            b"\x01\xff\xff\xff\xff\xff\xff\xff\xffreadabc",
            b"\x01\0\0\0\0\0\0\0\x04\xff\xff\xff\xffabc",
            b"\x02abc",
        ] {
            assert!(token(payload).is_none(), "{payload:?}");
        }
    }
}
