//! The versions of keys: whether one has changed, without a copy of it.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// Returns a hash that is keyed at random, per process. Guesses cannot be tested against it.
pub(crate) fn version(secret: &str) -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    HASHER.hash_one(secret)
}
