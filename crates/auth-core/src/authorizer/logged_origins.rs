//! The origins that were logged, so that each is logged once.

use std::{
    collections::HashSet,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
};

/// The maximum number of origins that are remembered and logged.
const MAX_ORIGINS: usize = 64;

/// Remembers the first 64 origins, and whether there were more.
#[derive(Default)]
pub(super) struct LoggedOrigins {
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashSet<u64>,
    has_more: bool,
}

/// The event for an origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Log {
    /// The origin is new.
    Origin,
    /// The origin is the first of those that are not logged.
    HasMore,
    Nothing,
}

impl LoggedOrigins {
    pub(super) fn add(&self, origin: &impl Hash) -> Log {
        let hash = self.hasher.hash_one(origin);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.has_more || state.known.contains(&hash) {
            return Log::Nothing;
        }
        if state.known.len() == MAX_ORIGINS {
            state.has_more = true;
            return Log::HasMore;
        }
        state.known.insert(hash);
        Log::Origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_is_logged_once_and_the_65th_ends_the_log() {
        let logged = LoggedOrigins::default();
        for origin in 0..64 {
            assert_eq!(logged.add(&origin), Log::Origin);
            assert_eq!(logged.add(&origin), Log::Nothing);
        }
        assert_eq!(logged.add(&64), Log::HasMore);
        for origin in 0..100 {
            assert_eq!(logged.add(&origin), Log::Nothing);
        }
    }
}
