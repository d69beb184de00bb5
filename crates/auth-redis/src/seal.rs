//! The keys that seal tokens, and what is derived from each.

use std::{fmt, path::Path, sync::Arc};

use auth_core::Error;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::random;

/// Bytes of a seal key.
const KEY: usize = 32;
/// Bytes of a nonce: enough to draw each at random.
const NONCE: usize = 24;

/// The keys that seal what is stored: the first one seals, all of them open.
///
/// A key is 32 bytes from a source of randomness; the processes that share tokens share it, and
/// whoever keeps the Redis does not have it. They are wiped from memory when the last handle is
/// dropped.
///
/// ```
/// use auth_redis::SealKeys;
///
/// # let (new, old) = ([1; 32], [2; 32]);
/// let keys = SealKeys::new([new, old])?;
/// assert!(SealKeys::new(["too short"]).is_err());
/// # Ok::<(), auth_redis::auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SealKeys(Arc<[Box<SealKey>]>);

impl SealKeys {
    /// Keys of exactly 32 bytes each; at least one, and no two the same.
    ///
    /// # Errors
    /// If there is none, one has another length, or one stands there twice.
    pub fn new(keys: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, Error> {
        // each in a box: a list that grows leaves copies behind
        let mut ring: Vec<Box<SealKey>> = Vec::new();
        for (at, key) in keys.into_iter().enumerate() {
            let key = key.as_ref();
            let key = key.try_into().map_err(|_| {
                let (at, came) = (at + 1, key.len());
                Error::configuration(format!(
                    "a seal key has {KEY} bytes; number {at} has {came}"
                ))
            })?;
            let key = Box::new(SealKey::derive(key));
            if let Some(first) = ring.iter().position(|other| other.id == key.id) {
                let (first, at) = (first + 1, at + 1);
                return Err(Error::configuration(format!(
                    "each seal key stands once in the ring; numbers {first} and {at} are the same"
                )));
            }
            ring.push(key);
        }
        if ring.is_empty() {
            let message = "at least one seal key is needed; there is none";
            return Err(Error::configuration(message));
        }
        Ok(Self(ring.into()))
    }

    /// Reads each key from a file of 32 raw bytes.
    ///
    /// # Errors
    /// If a file cannot be read, and as [`new`](Self::new).
    pub fn from_files(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, Error> {
        let keys: Vec<Zeroizing<Vec<u8>>> = paths
            .into_iter()
            .map(|path| read(path.as_ref()))
            .collect::<Result<_, _>>()?;
        Self::new(keys.iter().map(|key| key.as_slice()))
    }

    pub(crate) fn ring(&self) -> &[Box<SealKey>] {
        &self.0
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKeys({} redacted)", self.0.len())
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let shown = path.display();
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        Error::configuration(format!("the seal key file {shown} cannot be read")).with_source(error)
    })?;
    if bytes.len() != KEY {
        let came = bytes.len();
        return Err(Error::configuration(format!(
            "a seal key file has {KEY} raw bytes; {shown} has {came}"
        )));
    }
    Ok(bytes)
}

/// One key of the ring. What it seals with and what it names with are derived from it, so that
/// neither tells anything about the other.
pub(crate) struct SealKey {
    /// Tells it from other keys, and is no secret.
    id: String,
    sealing: Zeroizing<[u8; KEY]>,
    naming: Zeroizing<[u8; KEY]>,
}

impl SealKey {
    fn derive(key: &[u8; KEY]) -> Self {
        let id = hmac(key, b"auth-redis 1 key id");
        Self {
            id: id[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            sealing: hmac(key, b"auth-redis 1 sealing"),
            naming: hmac(key, b"auth-redis 1 naming"),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What stands for `text` in names that others can see.
    pub(crate) fn digest(&self, text: &[u8]) -> Zeroizing<[u8; 32]> {
        hmac(&self.naming, text)
    }

    /// The nonce and the sealed text; it opens only beside the same `associated` data.
    pub(crate) fn seal(&self, text: &[u8], associated: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random::<NONCE>()?;
        let payload = Payload {
            msg: text,
            aad: associated,
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed =
            sealed.map_err(|_| Error::configuration("a token is too long to be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed; `None` if it was not by this key, beside this data, or has changed since.
    pub(crate) fn open(&self, sealed: &[u8], associated: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: associated,
        };
        let text = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        text.ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.sealing).into())
    }
}

fn hmac(key: &[u8; KEY], text: &[u8]) -> Zeroizing<[u8; 32]> {
    // RFC 2104 §2: a key that is shorter than a block is followed by zeros
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new((&*block).into());
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealKey {
        SealKey::derive(&[byte; KEY])
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let sealed = key(1).seal(b"text", b"beside").unwrap();
        assert_eq!(*key(1).open(&sealed, b"beside").unwrap(), b"text");
        assert_eq!(sealed.len(), NONCE + 4 + 16);
    }

    #[test]
    fn no_two_seals_are_the_same() {
        let key = key(1);
        assert_ne!(
            key.seal(b"text", b"").unwrap(),
            key.seal(b"text", b"").unwrap()
        );
    }

    #[test]
    fn no_bit_of_it_may_be_another() {
        let sealed = key(1).seal(b"text", b"beside").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1).open(&changed, b"beside").is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(
                key(1).open(&sealed[..length], b"beside").is_none(),
                "{length}"
            );
        }
    }

    #[test]
    fn another_key_and_other_data_beside_it_open_nothing() {
        let sealed = key(1).seal(b"text", b"beside").unwrap();
        assert!(key(2).open(&sealed, b"beside").is_none());
        assert!(key(1).open(&sealed, b"besides").is_none());
    }

    #[test]
    fn a_key_has_its_own_id_and_its_own_digests() {
        let (one, other) = (key(1), key(2));
        assert_eq!(one.id().len(), 16);
        assert_ne!(one.id(), other.id());
        assert_ne!(one.digest(b"x"), other.digest(b"x"));
        assert_ne!(one.digest(b"x"), one.digest(b"y"));
        assert_ne!(one.naming, one.sealing);
    }

    /// As Python has it: `hmac.digest(bytes([1]) * 32, b"text", "sha256")[:8]`
    #[test]
    fn the_digest_is_hmac_sha_256() {
        let digest = hmac(&[1; KEY], b"text");
        assert_eq!(digest[..8], [142, 106, 137, 78, 147, 216, 187, 13]);
    }

    #[test]
    fn a_ring_of_what_is_no_key_is_refused() {
        for (ring, expected) in [
            (vec![], "at least one seal key is needed; there is none"),
            (
                vec![vec![1; 31]],
                "a seal key has 32 bytes; number 1 has 31",
            ),
            (
                vec![vec![1; 32], vec![]],
                "a seal key has 32 bytes; number 2 has 0",
            ),
            (
                vec![vec![1; 64]],
                "a seal key has 32 bytes; number 1 has 64",
            ),
            (
                vec![vec![1; 32], vec![2; 32], vec![1; 32]],
                "each seal key stands once in the ring; numbers 1 and 3 are the same",
            ),
        ] {
            let error = SealKeys::new(ring).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn keys_are_read_from_files_of_raw_bytes() {
        let directory = std::env::temp_dir();
        let path = |name| directory.join(format!("seal-{}-{name}", std::process::id()));
        let (good, newline, none) = (path("good"), path("newline"), path("none"));
        std::fs::write(&good, [7; 32]).unwrap();
        std::fs::write(&newline, [b'a'; 33]).unwrap();
        let keys = SealKeys::from_files([&good]).unwrap();
        assert_eq!(keys.ring()[0].id(), key(7).id());
        let error = SealKeys::from_files([&newline]).unwrap_err().to_string();
        assert!(
            error.contains("32 raw bytes") && error.ends_with("has 33"),
            "{error}"
        );
        let error = SealKeys::from_files([&none]).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
        for path in [good, newline] {
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = SealKeys::new([[77; 32]]).unwrap();
        assert_eq!(format!("{keys:?}"), "SealKeys(1 redacted)");
    }
}
