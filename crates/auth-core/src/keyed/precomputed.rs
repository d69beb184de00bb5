//! The hasher for keys that bring their hash along.

use std::hash::Hasher;

/// Takes the one number that a key writes for the hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Precomputed(u64);

impl Hasher for Precomputed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// What is not a hash is at least not lost.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
