//! The seal keys, what is derived from each, and how a key seals and opens.

use std::{fmt, path::Path, sync::Arc};

use auth_core::{Error, ErrorKind};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::seal_key_file::{self, KEY};

/// Bytes of a nonce: enough for random nonces not to repeat.
const NONCE: usize = 24;
/// A key has at least this many different bytes. Of random keys, one in 10^36 has fewer.
const MIN_DIFFERENT: usize = 8;

/// A ring of keys that seal the stored tokens. The first key seals, every key opens.
///
/// A key is 32 bytes from a random number generator, such as the file that
/// `(umask 077 && head -c 32 /dev/urandom > seal-key)` creates. The processes that share tokens have
/// it; the operator of the Redis server does not. The keys are wiped from memory when the last clone of the
/// ring is dropped.
///
/// ```
/// use auth_redis::SealKeys;
///
/// # let (new, old) = (*b"0123456789abcdefghijklmnopqrstuv", *b"vutsrqponmlkjihgfedcba9876543210");
/// let keys = SealKeys::new([new, old])?;
/// assert!(SealKeys::new(["too short"]).is_err());
/// assert!(SealKeys::new([[0; 32]]).is_err()); // not random
/// # Ok::<(), auth_redis::auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SealKeys(Arc<[Box<SealKey>]>);

impl SealKeys {
    /// Creates a ring of one or more different keys of exactly 32 bytes each.
    ///
    /// # Errors
    /// If there is no key, if a key has another length, if two keys are the same, or if a key is
    /// certainly not random: it has fewer than 8 different bytes.
    pub fn new(keys: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, Error> {
        // boxed: a growing list would leave copies of the keys in memory
        let mut ring: Vec<Box<SealKey>> = Vec::new();
        for (at, key) in keys.into_iter().enumerate() {
            let key = key.as_ref();
            let key = key.try_into().map_err(|_| {
                let (at, length) = (at + 1, key.len());
                Error::configuration(format!(
                    "seal key number {at} has {length} bytes; expected {KEY}"
                ))
            })?;
            check_random(at + 1, key)?;
            let key = Box::new(SealKey::derive(key));
            if let Some(first) = ring.iter().position(|other| other.id == key.id) {
                let (first, at) = (first + 1, at + 1);
                return Err(Error::configuration(format!(
                    "seal keys number {first} and {at} are the same; expected different keys"
                )));
            }
            ring.push(key);
        }
        if ring.is_empty() {
            let message = "the ring of seal keys is empty; expected at least one key";
            return Err(Error::configuration(message));
        }
        Ok(Self(ring.into()))
    }

    /// Reads each key from a file of 32 raw bytes. If users other than its owner and its group may read
    /// or change a file, a warning names its path and its mode. The exceptions are those of
    /// [`ClientSecret::from_file`](auth_core::ClientSecret::from_file): read-only mounts (on Linux), and
    /// volumes of Kubernetes.
    ///
    /// # Errors
    /// If a file cannot be read or has another length, and as for [`new`](Self::new).
    pub fn from_files(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, Error> {
        let keys: Vec<Zeroizing<Vec<u8>>> = paths
            .into_iter()
            .map(|path| seal_key_file::read(path.as_ref()))
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

/// One key of the ring. The keys that seal, name and prove are derived from it, so that none reveals
/// another.
pub(crate) struct SealKey {
    /// Identifies the key in stored values. It is not secret.
    id: String,
    sealing: Zeroizing<[u8; KEY]>,
    naming: Zeroizing<[u8; KEY]>,
    proving: Zeroizing<[u8; KEY]>,
}

impl SealKey {
    fn derive(key: &[u8; KEY]) -> Self {
        let id = hmac(key, b"auth-redis 1 key id");
        Self {
            id: id[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            sealing: hmac(key, b"auth-redis 1 sealing"),
            naming: hmac(key, b"auth-redis 1 naming"),
            proving: hmac(key, b"auth-redis 2 proving"),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns a keyed hash of `text`, which stands for it in the names of Redis keys.
    pub(crate) fn digest(&self, text: &[u8]) -> Zeroizing<[u8; 32]> {
        hmac(&self.naming, text)
    }

    /// Returns a tag that proves that a holder of this key wrote `text`.
    pub(crate) fn prove(&self, text: &[u8]) -> [u8; 32] {
        mac(&self.proving, text).finalize().into_bytes().into()
    }

    /// Whether `tag` proves `text`. Takes the same time for every wrong tag.
    pub(crate) fn is_proven(&self, text: &[u8], tag: &[u8]) -> bool {
        mac(&self.proving, text).verify_slice(tag).is_ok()
    }

    /// Seals `text` and returns the nonce and the sealed text, which opens only with the same
    /// `associated` data.
    pub(crate) fn seal(&self, text: &[u8], associated: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random_bytes::<NONCE>()?;
        let payload = Payload {
            msg: text,
            aad: associated,
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed =
            sealed.map_err(|_| Error::configuration("the token is too long to be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Returns the text that was sealed, or `None` if another key sealed it, the associated data was
    /// other, or the sealed text has been changed.
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

/// Checks that the key may have come from a random number generator.
fn check_random(at: usize, key: &[u8; KEY]) -> Result<(), Error> {
    let mut is_found = [false; 256];
    for byte in key {
        is_found[usize::from(*byte)] = true;
    }
    let different = is_found.into_iter().filter(|is_found| *is_found).count();
    if different < MIN_DIFFERENT {
        // their number would tell something about the key
        return Err(Error::configuration(format!(
            "seal key number {at} is not random: it has fewer than {MIN_DIFFERENT} different bytes; \
             expected {KEY} bytes from a random number generator, such as /dev/urandom"
        )));
    }
    Ok(())
}

/// Returns random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = "the operating system returned no random bytes";
        Error::new(ErrorKind::SharedStore, message).with_source(error)
    })?;
    Ok(bytes)
}

fn hmac(key: &[u8; KEY], text: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac(key, text).finalize().into_bytes().into())
}

fn mac(key: &[u8; KEY], text: &[u8]) -> Hmac<Sha256> {
    // RFC 2104 §2: a key shorter than a block is padded with zeros
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new((&*block).into());
    mac.update(text);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealKey {
        SealKey::derive(&[byte; KEY])
    }

    /// The bytes of a key that passes for a random one.
    fn bytes(first: u8) -> Vec<u8> {
        (first..).take(KEY).collect()
    }

    #[test]
    fn a_sealed_text_is_opened() {
        let sealed = key(1).seal(b"text", b"data").unwrap();
        assert_eq!(*key(1).open(&sealed, b"data").unwrap(), b"text");
        assert_eq!(sealed.len(), NONCE + 4 + 16);
    }

    #[test]
    fn sealing_twice_gives_different_results() {
        let key = key(1);
        assert_ne!(
            key.seal(b"text", b"").unwrap(),
            key.seal(b"text", b"").unwrap()
        );
    }

    #[test]
    fn a_changed_or_cut_text_is_not_opened() {
        let sealed = key(1).seal(b"text", b"data").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1).open(&changed, b"data").is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(
                key(1).open(&sealed[..length], b"data").is_none(),
                "{length}"
            );
        }
    }

    #[test]
    fn another_key_or_other_associated_data_opens_nothing() {
        let sealed = key(1).seal(b"text", b"data").unwrap();
        assert!(key(2).open(&sealed, b"data").is_none());
        assert!(key(1).open(&sealed, b"datum").is_none());
    }

    #[test]
    fn each_key_has_its_own_id_and_digests() {
        let (one, other) = (key(1), key(2));
        assert_eq!(one.id().len(), 16);
        assert_ne!(one.id(), other.id());
        assert_ne!(one.digest(b"x"), other.digest(b"x"));
        assert_ne!(one.digest(b"x"), one.digest(b"y"));
        assert_ne!(one.naming, one.sealing);
    }

    /// The expected value is Python's `hmac.digest(bytes([1]) * 32, b"text", "sha256")[:8]`
    #[test]
    fn the_digest_is_hmac_sha_256() {
        let digest = hmac(&[1; KEY], b"text");
        assert_eq!(digest[..8], [142, 106, 137, 78, 147, 216, 187, 13]);
    }

    #[test]
    fn an_empty_ring_a_wrong_length_and_a_duplicate_are_errors() {
        for (ring, expected) in [
            (
                vec![],
                "the ring of seal keys is empty; expected at least one key",
            ),
            (
                vec![vec![1; 31]],
                "seal key number 1 has 31 bytes; expected 32",
            ),
            (
                vec![bytes(1), vec![]],
                "seal key number 2 has 0 bytes; expected 32",
            ),
            (
                vec![vec![1; 64]],
                "seal key number 1 has 64 bytes; expected 32",
            ),
            (
                vec![bytes(1), bytes(2), bytes(1)],
                "seal keys number 1 and 3 are the same; expected different keys",
            ),
        ] {
            let error = SealKeys::new(ring).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn debug_output_shows_no_key() {
        let keys = SealKeys::new([bytes(77)]).unwrap();
        assert_eq!(format!("{keys:?}"), "SealKeys(1 redacted)");
    }
}
