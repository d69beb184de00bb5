//! Encodes tokens into stored values and decodes them, sealed with a ring of keys or in plaintext.

use std::time::Duration;

use auth_core::{
    Error, ErrorKind,
    shared_store::{SharedKey, SharedToken},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    format::{self, KeyNames, MAX_VALUE, StoredToken, Unreadable},
    seal_keys::{SealKey, SealKeys},
};

/// The key id of a value in plaintext.
const PLAINTEXT_ID: &str = "plain";

#[derive(Debug)]
pub(crate) enum TokenCodec {
    Sealed(SealKeys),
    Plaintext,
}

impl TokenCodec {
    /// Returns the names for a cache key, one for each seal key. Tokens are saved under the first; a
    /// process with another ring may have saved one under the others.
    pub(crate) fn names(&self, prefix: &str, key: &SharedKey) -> Vec<KeyNames> {
        match self {
            Self::Sealed(keys) => keys
                .ring()
                .iter()
                .map(|seal| KeyNames::new(prefix, &seal.digest(key.as_bytes())))
                .collect(),
            Self::Plaintext => {
                let digest = Sha256::digest(key.as_bytes());
                vec![KeyNames::new(prefix, &digest.into())]
            }
        }
    }

    /// Encodes a token that ends at `end`, by the server's clock in milliseconds.
    /// It is not too large, which [`check_size`] checks.
    pub(crate) fn encode(
        &self,
        key: &SharedKey,
        token: &SharedToken,
        end: u64,
    ) -> Result<Vec<u8>, Error> {
        let payload = format::payload(token);
        let lifetime = token.lifetime();
        match self {
            Self::Plaintext => {
                let head = format::head(PLAINTEXT_ID, lifetime, end);
                Ok([head.as_bytes(), &payload].concat())
            }
            Self::Sealed(keys) => {
                let [first, ..] = keys.ring() else {
                    return Err(Error::configuration(
                        "the ring of seal keys is empty; expected at least one key",
                    ));
                };
                let head = format::head(first.id(), lifetime, end);
                let associated = Zeroizing::new([head.as_bytes(), key.as_bytes()].concat());
                let body = first.seal(&payload, &associated)?;
                Ok([head.as_bytes(), &body].concat())
            }
        }
    }

    /// Decodes a value that was loaded at `now`, by the server's clock in milliseconds, and that the
    /// server removes after `expiry`. `None`: the value does not expire. The age of the token follows
    /// from the end that is sealed in the value, unless the value expires earlier.
    pub(crate) fn decode(
        &self,
        key: &SharedKey,
        value: &[u8],
        now: u64,
        expiry: Option<Duration>,
    ) -> Result<SharedToken, Unreadable> {
        let (stored, token) = self.open(key, value)?;
        let age = stored.age(now, expiry)?;
        Ok(token.with_lifetime(stored.lifetime).with_age(age))
    }

    /// Checks that a value can be decoded, whatever its age.
    pub(crate) fn check(&self, key: &SharedKey, value: &[u8]) -> Result<(), Unreadable> {
        self.open(key, value).map(drop)
    }

    fn open<'a>(
        &self,
        key: &SharedKey,
        value: &'a [u8],
    ) -> Result<(StoredToken<'a>, SharedToken), Unreadable> {
        let stored = StoredToken::parse(value)?;
        let token = match self {
            Self::Plaintext if stored.key_id == PLAINTEXT_ID => format::token(stored.body),
            Self::Plaintext => return Err(Unreadable::Key),
            Self::Sealed(keys) => {
                let seal = by_id(keys, stored.key_id).ok_or(Unreadable::Key)?;
                let associated = Zeroizing::new([stored.head, key.as_bytes()].concat());
                let payload = seal.open(stored.body, &associated);
                format::token(&payload.ok_or(Unreadable::Seal)?)
            }
        };
        Ok((stored, token.ok_or(Unreadable::Payload)?))
    }
}

/// The maximum size of a payload. The rest is for the head and the seal.
const MAX_PAYLOAD: usize = MAX_VALUE - 1024;

/// Checks that a load would accept the token.
pub(crate) fn check_size(token: &SharedToken) -> Result<(), Error> {
    let scopes = token.scopes().map_or(0, |scopes| scopes.to_string().len());
    let details = token.authorization_details().map_or(0, str::len);
    let size = token
        .secret()
        .len()
        .saturating_add(scopes)
        .saturating_add(details);
    if size > MAX_PAYLOAD {
        let message = format!(
            "the token is not saved in Redis: the token, its scopes and its authorization details have {size} bytes; expected at \
             most {MAX_PAYLOAD}"
        );
        return Err(Error::new(ErrorKind::SharedStore, message));
    }
    Ok(())
}

fn by_id<'a>(keys: &'a SealKeys, id: &str) -> Option<&'a SealKey> {
    let key = keys.ring().iter().find(|key| key.id() == id)?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use auth_core::TokenRequest;

    use super::*;

    /// The time by the server's clock at which tokens are saved. They have a lifetime of 600 s.
    const SAVED: u64 = 1_700_000_000_000;
    const END: u64 = SAVED + 600_000;
    const LATER: u64 = SAVED + 100_000;
    const EXPIRY: Option<Duration> = Some(Duration::from_secs(500));

    fn key(source: &str) -> SharedKey {
        SharedKey::new([source], &TokenRequest::default())
    }

    fn sealed(ring: &[u8]) -> TokenCodec {
        let ring = ring
            .iter()
            .map(|first| (*first..).take(32).collect::<Vec<u8>>());
        TokenCodec::Sealed(SealKeys::new(ring).unwrap())
    }

    fn token() -> SharedToken {
        let token = SharedToken::bearer("abc").unwrap();
        token
            .with_lifetime(Duration::from_secs(600))
            .with_scope("read write")
    }

    fn reason(decoded: Result<SharedToken, Unreadable>) -> Option<Unreadable> {
        decoded.err()
    }

    #[test]
    fn a_decoded_token_is_as_old_as_the_server_says() {
        for codec in [sealed(&[1]), TokenCodec::Plaintext] {
            let value = codec.encode(&key("a"), &token(), END).unwrap();
            let found = codec.decode(&key("a"), &value, LATER, EXPIRY).unwrap();
            assert_eq!(found.secret(), "abc");
            assert_eq!(found.scopes(), token().scopes());
            assert_eq!(found.lifetime(), Duration::from_secs(600));
            assert_eq!(found.remaining(), Duration::from_secs(500));
        }
    }

    #[test]
    fn a_value_with_a_changed_bit_is_unreadable() {
        let codec = sealed(&[1]);
        let value = codec.encode(&key("a"), &token(), END).unwrap();
        for bit in 0..value.len() * 8 {
            let mut changed = value.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                codec.decode(&key("a"), &changed, LATER, EXPIRY).is_err(),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn the_first_key_seals_and_every_key_opens() {
        let value = sealed(&[2, 1]).encode(&key("a"), &token(), END).unwrap();
        for ring in [&[2][..], &[2, 1], &[1, 2], &[3, 1, 2]] {
            assert!(
                sealed(ring)
                    .decode(&key("a"), &value, LATER, EXPIRY)
                    .is_ok(),
                "{ring:?}"
            );
        }
        let decoded = sealed(&[1]).decode(&key("a"), &value, LATER, EXPIRY);
        assert_eq!(reason(decoded), Some(Unreadable::Key));
    }

    #[test]
    fn a_value_of_another_cache_key_is_unreadable() {
        let value = sealed(&[1]).encode(&key("a"), &token(), END).unwrap();
        let decoded = sealed(&[1]).decode(&key("b"), &value, LATER, EXPIRY);
        assert_eq!(reason(decoded), Some(Unreadable::Seal));
    }

    #[test]
    fn sealed_values_and_plaintext_values_are_unreadable_to_each_other() {
        let plain = TokenCodec::Plaintext
            .encode(&key("a"), &token(), END)
            .unwrap();
        let decoded = sealed(&[1]).decode(&key("a"), &plain, LATER, EXPIRY);
        assert_eq!(reason(decoded), Some(Unreadable::Key));
        let value = sealed(&[1]).encode(&key("a"), &token(), END).unwrap();
        let decoded = TokenCodec::Plaintext.decode(&key("a"), &value, LATER, EXPIRY);
        assert_eq!(reason(decoded), Some(Unreadable::Key));
    }

    #[test]
    fn names_are_in_the_order_of_the_ring() {
        let names = |ring: &[u8]| sealed(ring).names("auth", &key("a"));
        let ([one, other], both) = ([names(&[1]), names(&[2])], names(&[1, 2]));
        assert_eq!(both, [&one[..], &other[..]].concat());
        assert_eq!(names(&[2, 1]), [&other[..], &one[..]].concat());
        assert_ne!(one, sealed(&[1]).names("auth", &key("b")));
        assert_ne!(one, TokenCodec::Plaintext.names("auth", &key("a")));
        assert_ne!(
            TokenCodec::Plaintext.names("auth", &key("b")),
            TokenCodec::Plaintext.names("auth", &key("a"))
        );
    }
}
