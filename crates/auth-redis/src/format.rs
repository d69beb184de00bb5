//! The data in Redis: the names of keys and channels, and the format of a stored token,
//! `auth2:<key id>:<lifetime in ms>:<end in ms since 1970>:<body>`.
//!
//! The end is the token's own, by the server's clock. The head of a value is in the clear, since the
//! script that saves reads it; the seal covers it. The body is the [`payload`], sealed or in
//! plaintext.
//!
//! The names contain the version as well. Processes of two versions, as during an upgrade, therefore
//! share one token per version. With common names each version would overwrite the token of the other,
//! and every process would request its own.

use std::time::Duration;

use auth_core::shared_store::SharedToken;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The format and its version.
pub(crate) const FORMAT: &str = "auth2";
const FAMILY: &str = "auth";
const VERSION: u32 = 2;

/// The maximum size of a value. A larger one is neither saved nor loaded, since the server would
/// serve no other client for the time that takes.
pub(crate) const MAX_VALUE: usize = 1 << 20;
/// The server's clock may be set back by this much without an effect: clocks are adjusted.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// Returns the time from `now` to `end`, both in milliseconds by the server's clock. `None` if it
/// exceeds `max` by more than a second: the clock was set back, or `end` was invented.
pub(crate) fn until(end: u64, now: u64, max: Duration) -> Option<Duration> {
    let left = Duration::from_millis(end.saturating_sub(now));
    (left <= max.saturating_add(CLOCK_TOLERANCE)).then(|| left.min(max))
}

/// The names for one cache key under one seal key.
///
/// The braces are a hash tag: a Cluster keeps keys with the same tag on the same node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyNames {
    pub(crate) token: String,
    pub(crate) lease: String,
    pub(crate) channel: String,
}

impl KeyNames {
    pub(crate) fn new(prefix: &str, digest: &[u8; 32]) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(digest);
        let name = |part| format!("{prefix}:{{{digest}}}:{VERSION}:{part}");
        Self {
            token: name("token"),
            lease: name("lease"),
            channel: name("changed"),
        }
    }
}

/// The reason why a stored token cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unreadable {
    /// The key holds another Redis type than a string.
    Type,
    /// The value has another format.
    Format,
    /// The value has another version of the format.
    Version,
    /// The value was sealed with a key that is not in the ring, or is in plaintext where it should
    /// be sealed, or the reverse.
    Key,
    /// The value was changed after it was sealed, or was sealed for another cache key.
    Seal,
    /// The seal is intact, but the payload is not a token.
    Payload,
    /// The value is larger than 1 MiB.
    Size,
    /// The token ends later than it can by the server's clock.
    Clock,
    /// The token has ended, and its Redis key was kept for longer.
    Ended,
    /// The token has ended just now: the server had not removed it yet.
    JustEnded,
}

impl Unreadable {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Type => "the key does not hold a string",
            Self::Format => "the value was not written by auth-redis",
            Self::Version => "the value was written by another version of auth-redis",
            Self::Key => "the value was sealed with an unlisted seal key, or is not sealed",
            Self::Seal => "the seal does not match the value",
            Self::Payload => "the value holds no token",
            Self::Size => "the value is larger than 1 MiB",
            Self::Clock => "the token was issued in the future by the server's clock",
            Self::Ended => "the token has ended; an old value was restored, or its expiry changed",
            Self::JustEnded => "the token has ended just now",
        }
    }
}

/// Returns the head of a value, which names the seal key, the token's lifetime, and its end by the
/// server's clock in milliseconds.
pub(crate) fn head(key_id: &str, lifetime: Duration, end: u64) -> String {
    let lifetime = millis(lifetime);
    format!("{FORMAT}:{key_id}:{lifetime}:{end}:")
}

/// Converts to whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

/// The parts of a stored token.
#[derive(Debug)]
pub(crate) struct StoredToken<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) key_id: &'a str,
    pub(crate) lifetime: Duration,
    /// By the server's clock, in milliseconds.
    pub(crate) end: u64,
    pub(crate) body: &'a [u8],
}

impl<'a> StoredToken<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Unreadable> {
        let mut parts = value.splitn(5, |byte| *byte == b':');
        let mut text = || std::str::from_utf8(parts.next()?).ok();
        let (format, key_id, lifetime, end) = (text(), text(), text(), text());
        if format != Some(FORMAT) {
            let number = format.and_then(|format| format.strip_prefix(FAMILY));
            let is_version = number.is_some_and(|number| number.parse::<u32>().is_ok());
            return Err(if is_version {
                Unreadable::Version
            } else {
                Unreadable::Format
            });
        }
        let (Some(key_id), Some(lifetime), Some(end), Some(body)) =
            (key_id, lifetime, end, parts.next())
        else {
            return Err(Unreadable::Format);
        };
        let number = |text: &str| text.parse().map_err(|_| Unreadable::Format);
        Ok(Self {
            head: &value[..value.len() - body.len()],
            key_id,
            lifetime: Duration::from_millis(number(lifetime)?),
            end: number(end)?,
            body,
        })
    }

    /// Returns the age of the token at `now`, by the server's clock. `expiry` is the time after which
    /// the server removes the value. It can only shorten the token's life, since every client with
    /// write access can change it.
    pub(crate) fn age(&self, now: u64, expiry: Option<Duration>) -> Result<Duration, Unreadable> {
        let left = until(self.end, now, self.lifetime).ok_or(Unreadable::Clock)?;
        let left = left.min(expiry.unwrap_or(left));
        if left.is_zero() {
            let since_end = Duration::from_millis(now.saturating_sub(self.end));
            return Err(match since_end > CLOCK_TOLERANCE {
                true => Unreadable::Ended,
                false => Unreadable::JustEnded,
            });
        }
        Ok(self.lifetime - left)
    }
}

/// In the first byte of a payload: the scopes follow.
const SCOPES: u8 = 1;
/// In the first byte of a payload: the authorization details follow, after the scopes.
const AUTHORIZATION_DETAILS: u8 = 2;

/// Encodes the token and, if the response named them, its scopes and its authorization details:
/// `0 <token>`, `1 <length> <scopes> <token>`, `2 <length> <details> <token>` or
/// `3 <length> <scopes> <length> <details> <token>`.
pub(crate) fn payload(token: &SharedToken) -> Zeroizing<Vec<u8>> {
    let scopes = token.scopes().map(ToString::to_string);
    let parts = [
        (SCOPES, scopes.as_deref()),
        (AUTHORIZATION_DETAILS, token.authorization_details()),
    ];
    let length = |(_, part): &(u8, Option<&str>)| part.map_or(0, |part| 8 + part.len());
    let length = 1 + token.secret().len() + parts.iter().map(length).sum::<usize>();
    // allocated once: growing would leave unwiped copies behind
    let mut payload = Zeroizing::new(Vec::with_capacity(length));
    payload.push(0);
    for (flag, part) in parts {
        if let Some(part) = part {
            payload[0] |= flag;
            payload.extend_from_slice(&(part.len() as u64).to_be_bytes());
            payload.extend_from_slice(part.as_bytes());
        }
    }
    payload.extend_from_slice(token.secret().as_bytes());
    payload
}

/// Decodes a payload. The token has no lifetime and no age yet.
pub(crate) fn token(payload: &[u8]) -> Option<SharedToken> {
    let (flags, mut rest) = payload.split_first()?;
    if flags & !(SCOPES | AUTHORIZATION_DETAILS) != 0 {
        return None;
    }
    let mut part = |flag| {
        if flags & flag == 0 {
            return Some(None);
        }
        let (length, after) = rest.split_first_chunk()?;
        let length = u64::from_be_bytes(*length).try_into().ok()?;
        let (part, after) = after.split_at_checked(length)?;
        rest = after;
        Some(Some(std::str::from_utf8(part).ok()?))
    };
    let (scopes, details) = (part(SCOPES)?, part(AUTHORIZATION_DETAILS)?);
    let mut token = SharedToken::bearer(std::str::from_utf8(rest).ok()?).ok()?;
    if let Some(scopes) = scopes {
        token = token.with_scope(scopes);
    }
    Some(match details {
        Some(details) => token.with_authorization_details(details),
        None => token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_cache_key_have_one_hash_tag() {
        let names = KeyNames::new("auth", &[0; 32]);
        let tag = "{AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}";
        assert_eq!(names.token, format!("auth:{tag}:2:token"));
        assert_eq!(names.lease, format!("auth:{tag}:2:lease"));
        assert_eq!(names.channel, format!("auth:{tag}:2:changed"));
    }

    #[test]
    fn a_value_names_its_seal_key_its_lifetime_and_its_end() {
        let head = head("0123456789abcdef", Duration::from_millis(600_001), 17);
        assert_eq!(head, "auth2:0123456789abcdef:600001:17:");
        let value = [head.as_bytes(), b"a:b"].concat();
        let value = StoredToken::parse(&value).unwrap();
        assert_eq!(value.head, head.as_bytes());
        assert_eq!(value.key_id, "0123456789abcdef");
        assert_eq!(value.lifetime, Duration::from_millis(600_001));
        assert_eq!(value.end, 17);
        assert_eq!(value.body, b"a:b");
    }

    #[test]
    fn another_format_and_another_version_are_distinguished() {
        for (value, expected) in [
            (&b""[..], Unreadable::Format),
            (b"something else", Unreadable::Format),
            (b"auth2", Unreadable::Format),
            (b"auth2:plain", Unreadable::Format),
            (b"auth2:plain:600", Unreadable::Format),
            (b"auth2:plain:600:9", Unreadable::Format),
            (b"auth2:plain:-1:9:abc", Unreadable::Format),
            (b"auth2:plain:long:9:abc", Unreadable::Format),
            (b"auth2:plain:600:late:abc", Unreadable::Format),
            (b"auth2:plain:600:-1:abc", Unreadable::Format),
            (
                b"auth2:plain:99999999999999999999:9:abc",
                Unreadable::Format,
            ),
            (
                b"auth2:plain:600:99999999999999999999:abc",
                Unreadable::Format,
            ),
            (b"\xff:plain:600:9:abc", Unreadable::Format),
            (b"authority:plain:600:9:abc", Unreadable::Format),
            (b"auth1:plain:600:abc", Unreadable::Version),
            (b"auth3:plain:600:9:abc", Unreadable::Version),
            (b"auth10:abc", Unreadable::Version),
        ] {
            let shown = String::from_utf8_lossy(value);
            assert_eq!(StoredToken::parse(value).unwrap_err(), expected, "{shown}");
        }
    }

    #[test]
    fn a_payload_holds_the_token_its_scopes_and_its_authorization_details() {
        for scope in [None, Some(""), Some("read"), Some("read write")] {
            for details in [None, Some("[]"), Some(r#"[{"type":"a"}]"#)] {
                let mut given = SharedToken::bearer("abc").unwrap();
                if let Some(scope) = scope {
                    given = given.with_scope(scope);
                }
                if let Some(details) = details {
                    given = given.with_authorization_details(details);
                }
                let found = token(&payload(&given)).unwrap();
                assert_eq!(found.secret(), "abc");
                assert_eq!(found.scopes(), given.scopes(), "{scope:?}");
                assert_eq!(found.authorization_details(), details);
            }
        }
    }

    #[test]
    fn a_malformed_payload_yields_no_token() {
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
            b"\x02\0\0\0\0\0\0\0\x08[]abc",
            b"\x03\0\0\0\0\0\0\0\x04readabc",
            b"\x04abc",
        ] {
            assert!(token(payload).is_none(), "{payload:?}");
        }
    }
}
