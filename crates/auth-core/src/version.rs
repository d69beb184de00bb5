//! The versions of credentials: whether they have changed, without a copy of them.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::LazyLock,
};

/// The version of the credentials of a token request. Its hash is keyed at random, per process: it
/// cannot be reversed, and guesses cannot be tested against it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Version(u64);

impl Version {
    pub(crate) fn of(secret: &str) -> Self {
        Self(hash(secret))
    }

    /// `None` is a version that is not known, and never differs.
    pub(crate) fn of_number(number: Option<u64>) -> Self {
        Self(number.map_or(0, hash))
    }

    /// Combines two versions. Their order does not matter.
    pub(crate) fn and(self, other: Self) -> Self {
        [self, other].into_iter().collect()
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl FromIterator<Version> for Version {
    /// Combines versions. Their order does not matter.
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let mut combined: u64 = 0;
        for version in versions {
            combined = version.0.wrapping_add(combined);
        }
        Self(combined)
    }
}

fn hash(value: impl Hash) -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    HASHER.hash_one(value)
}
