//! The versions of credentials: whether they have changed, without a copy of them.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::LazyLock,
};

/// The version of the credentials of a token request. Its hash is keyed at random, per process: it
/// cannot be reversed, and guesses cannot be tested against it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Version {
    /// The sum of the hashes of the parts that are known.
    known: u64,
    /// How many parts are not known.
    unknown: u32,
}

impl Version {
    pub(crate) fn of(secret: &str) -> Self {
        Self::of_hash(hash(secret))
    }

    /// `None` is a version that is not known: see [`differs_from`](Self::differs_from).
    pub(crate) fn of_number(number: Option<u64>) -> Self {
        match number {
            Some(number) => Self::of_hash(hash(number)),
            None => Self {
                known: 0,
                unknown: 1,
            },
        }
    }

    fn of_hash(known: u64) -> Self {
        Self { known, unknown: 0 }
    }

    /// Returns whether a part that is known on both sides differs. If a part is known on one side only,
    /// the versions cannot be compared, and count as equal.
    pub(crate) fn differs_from(self, other: Self) -> bool {
        self.unknown == other.unknown && self.known != other.known
    }

    /// Combines two versions. Their order does not matter.
    pub(crate) fn and(self, other: Self) -> Self {
        [self, other].into_iter().collect()
    }

    /// Returns the number of a version that is known.
    pub(crate) fn number(self) -> u64 {
        self.known
    }
}

impl FromIterator<Version> for Version {
    /// Combines versions. Their order does not matter.
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let mut combined = Self::default();
        for Version { known, unknown } in versions {
            combined.known = combined.known.wrapping_add(known);
            combined.unknown = combined.unknown.saturating_add(unknown);
        }
        combined
    }
}

fn hash(value: impl Hash) -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    HASHER.hash_one(value)
}
