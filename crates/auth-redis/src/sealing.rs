//! How tokens become values and back: sealed under a ring of keys, or in the clear.

use std::time::Duration;

use auth_core::{Error, SharedKey, SharedToken};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    names::Names,
    seal::{SealKey, SealKeys},
    value::{self, Unreadable, Value},
};

/// Stands where the key's id would.
const PLAIN: &str = "plain";

#[derive(Debug)]
pub(crate) enum Sealing {
    Sealed(SealKeys),
    Plain,
}

impl Sealing {
    /// The names of `key`: first those under which it is written, then those under which others may
    /// have written.
    pub(crate) fn names(&self, prefix: &str, key: &SharedKey) -> Vec<Names> {
        match self {
            Self::Sealed(keys) => keys
                .ring()
                .iter()
                .map(|seal| Names::new(prefix, &seal.digest(key.as_bytes())))
                .collect(),
            Self::Plain => {
                let digest = Sha256::digest(key.as_bytes());
                vec![Names::new(prefix, &digest.into())]
            }
        }
    }

    pub(crate) fn close(&self, key: &SharedKey, token: &SharedToken) -> Result<Vec<u8>, Error> {
        let payload = value::payload(token);
        let lifetime = token.full_lifetime();
        match self {
            Self::Plain => {
                let head = value::head(PLAIN, lifetime);
                Ok([head.as_bytes(), &payload].concat())
            }
            Self::Sealed(keys) => {
                let [first, ..] = keys.ring() else {
                    return Err(Error::configuration("the ring of seal keys is empty"));
                };
                let head = value::head(first.id(), lifetime);
                let associated = Zeroizing::new([head.as_bytes(), key.as_bytes()].concat());
                let body = first.seal(&payload, &associated)?;
                Ok([head.as_bytes(), &body].concat())
            }
        }
    }

    /// The token of a value; how old it is follows from how long it will still be kept.
    pub(crate) fn open(
        &self,
        key: &SharedKey,
        value: &[u8],
        left: Option<Duration>,
    ) -> Result<SharedToken, Unreadable> {
        let value = Value::parse(value)?;
        let token = match self {
            Self::Plain if value.key_id == PLAIN => value::token(value.body),
            Self::Plain => return Err(Unreadable::Key),
            Self::Sealed(keys) => {
                let seal = by_id(keys, value.key_id).ok_or(Unreadable::Key)?;
                let associated = Zeroizing::new([value.head, key.as_bytes()].concat());
                let payload = seal.open(value.body, &associated);
                value::token(&payload.ok_or(Unreadable::Seal)?)
            }
        };
        let token = token.ok_or(Unreadable::Token)?;
        let age = left.and_then(|left| value.lifetime.checked_sub(left));
        let age = age.ok_or(Unreadable::Expiry)?;
        Ok(token.lifetime(value.lifetime).age(age))
    }
}

fn by_id<'a>(keys: &'a SealKeys, id: &str) -> Option<&'a SealKey> {
    let key = keys.ring().iter().find(|key| key.id() == id)?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use auth_core::TokenRequest;

    use super::*;

    const LEFT: Option<Duration> = Some(Duration::from_secs(500));

    fn key(source: &str) -> SharedKey {
        SharedKey::new([source], &TokenRequest::default())
    }

    fn sealed(ring: &[u8]) -> Sealing {
        let ring = ring.iter().map(|byte| [*byte; 32]);
        Sealing::Sealed(SealKeys::new(ring).unwrap())
    }

    fn token() -> SharedToken {
        let token = SharedToken::bearer("abc").unwrap();
        token.lifetime(Duration::from_secs(600)).scope("read write")
    }

    fn why(opened: Result<SharedToken, Unreadable>) -> Option<Unreadable> {
        opened.err()
    }

    #[test]
    fn what_was_closed_is_opened_and_is_as_old_as_the_server_says() {
        for sealing in [sealed(&[1]), Sealing::Plain] {
            let value = sealing.close(&key("a"), &token()).unwrap();
            let found = sealing.open(&key("a"), &value, LEFT).unwrap();
            assert_eq!(found.secret(), "abc");
            assert_eq!(found.granted(), token().granted());
            assert_eq!(found.full_lifetime(), Duration::from_secs(600));
            assert_eq!(found.left(), Duration::from_secs(500));
        }
    }

    #[test]
    fn no_bit_of_a_value_may_be_another() {
        let sealing = sealed(&[1]);
        let value = sealing.close(&key("a"), &token()).unwrap();
        for bit in 0..value.len() * 8 {
            let mut changed = value.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                sealing.open(&key("a"), &changed, LEFT).is_err(),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn the_first_key_closes_and_all_of_them_open() {
        let value = sealed(&[2, 1]).close(&key("a"), &token()).unwrap();
        for ring in [&[2][..], &[2, 1], &[1, 2], &[3, 1, 2]] {
            assert!(
                sealed(ring).open(&key("a"), &value, LEFT).is_ok(),
                "{ring:?}"
            );
        }
        let opened = sealed(&[1]).open(&key("a"), &value, LEFT);
        assert_eq!(why(opened), Some(Unreadable::Key));
    }

    #[test]
    fn another_cache_key_opens_nothing() {
        let value = sealed(&[1]).close(&key("a"), &token()).unwrap();
        let opened = sealed(&[1]).open(&key("b"), &value, LEFT);
        assert_eq!(why(opened), Some(Unreadable::Seal));
    }

    #[test]
    fn sealed_and_plain_do_not_read_each_other() {
        let plain = Sealing::Plain.close(&key("a"), &token()).unwrap();
        let opened = sealed(&[1]).open(&key("a"), &plain, LEFT);
        assert_eq!(why(opened), Some(Unreadable::Key));
        let value = sealed(&[1]).close(&key("a"), &token()).unwrap();
        let opened = Sealing::Plain.open(&key("a"), &value, LEFT);
        assert_eq!(why(opened), Some(Unreadable::Key));
    }

    #[test]
    fn what_is_kept_for_longer_than_it_lives_was_tampered_with() {
        let value = sealed(&[1]).close(&key("a"), &token()).unwrap();
        for left in [None, Some(Duration::from_secs(601))] {
            let opened = sealed(&[1]).open(&key("a"), &value, left);
            assert_eq!(why(opened), Some(Unreadable::Expiry));
        }
    }

    #[test]
    fn names_come_in_the_order_of_the_ring() {
        let names = |ring: &[u8]| sealed(ring).names("auth", &key("a"));
        let ([one, other], both) = ([names(&[1]), names(&[2])], names(&[1, 2]));
        assert_eq!(both, [&one[..], &other[..]].concat());
        assert_eq!(names(&[2, 1]), [&other[..], &one[..]].concat());
        assert_ne!(one, sealed(&[1]).names("auth", &key("b")));
        assert_ne!(one, Sealing::Plain.names("auth", &key("a")));
        assert_ne!(
            Sealing::Plain.names("auth", &key("b")),
            Sealing::Plain.names("auth", &key("a"))
        );
    }
}
