//! Where the current token stands: the only user of arc-swap.
//!
//! A read takes no lock. arc-swap's soundness under weak memory has been disputed, so replaced
//! entries are kept alive for a while: a reader would have to sleep through several renewals inside
//! one load to meet freed memory.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

#[cfg(not(auth_loom))]
use arc_swap::ArcSwapOption;
use http::HeaderValue;
#[cfg(auth_loom)]
use stand_in::ArcSwapOption;

use super::{
    copies::Copies,
    policy::Life,
    sync::{AtomicBool, Mutex},
};
use crate::time::Now;

/// Replaced entries that are kept whatever their age.
const KEPT: usize = 4;
/// How long every replaced entry is kept.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// A token and its life.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) token: Copies,
    pub(super) life: Life,
    /// When a refusal of the one before brought it, by the monotonic clock.
    pub(super) forced_at: Option<Duration>,
    /// How many tokens in a row, with this one, came from the store after a refusal.
    pub(super) taken: u32,
    /// Whether an API has accepted it.
    pub(super) accepted: AtomicBool,
}

impl Entry {
    /// How many tokens in a row came from the store after a refusal, none of which was accepted.
    pub(super) fn taken_in_vain(&self) -> u32 {
        match self.accepted.load(Relaxed) {
            true => 0,
            false => self.taken,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    current: ArcSwapOption<Entry>,
    retired: Mutex<VecDeque<(Duration, Arc<Entry>)>>,
}

impl Slot {
    /// What `read` makes of the entry that is usable at `now`. It is called under arc-swap's guard:
    /// it must be short, and cannot await.
    #[inline(always)]
    pub(super) fn usable<T>(&self, now: Now, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        let guard = self.current.load();
        match guard.as_deref() {
            Some(entry) if !now.reached(entry.life.spent_at) => Some(read(entry)),
            _ => None,
        }
    }

    /// What `read` makes of the entry, usable or not.
    pub(super) fn current<T>(&self, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.current.load().as_deref().map(read)
    }

    /// How much longer the current token is usable; `None` if it is not.
    pub(super) fn left(&self, now: Now) -> Option<Duration> {
        self.usable(now, |entry| now.until(entry.life.spent_at))
    }

    /// Whether there is a usable token that is due for renewal.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.usable(now, |entry| now.reached(entry.life.refresh_at)) == Some(true)
    }

    /// Whether the token stood here lately, and was replaced.
    pub(super) fn has_been(&self, header: &HeaderValue) -> bool {
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let mut retired = retired.iter();
        retired.any(|(_, entry)| entry.token.any().header() == header)
    }

    pub(super) fn store(&self, entry: Entry, now: Now) {
        let replaced = self.current.swap(Some(Arc::new(entry)));
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.extend(replaced.map(|entry| (now.monotonic, entry)));
        let old = |(since, _): &(Duration, _)| since.saturating_add(KEPT_FOR) <= now.monotonic;
        while retired.len() > KEPT && retired.front().is_some_and(old) {
            retired.pop_front();
        }
    }
}

/// loom does not see into arc-swap: this is what that promises.
#[cfg(auth_loom)]
mod stand_in {
    use std::sync::{Arc, PoisonError};

    use super::super::sync::{Mutex, MutexGuard};

    #[derive(Debug)]
    pub(super) struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

    impl<T> Default for ArcSwapOption<T> {
        fn default() -> Self {
            Self(Mutex::new(None))
        }
    }

    impl<T> ArcSwapOption<T> {
        pub(super) fn load(&self) -> Option<Arc<T>> {
            self.lock().clone()
        }

        pub(super) fn swap(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
            std::mem::replace(&mut self.lock(), new)
        }

        fn lock(&self) -> MutexGuard<'_, Option<Arc<T>>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccessToken, TokenResponse,
        cache::{WeakTokenCache, policy::RefreshPolicy},
    };

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::from_secs(1_000 + seconds),
        }
    }

    fn entry(now: Now, generation: u64) -> Entry {
        let lifetime = Some(Duration::from_secs(60));
        let life = RefreshPolicy::default().life(now, now, lifetime, Duration::ZERO, 0.5);
        let response = TokenResponse::bearer("abc").unwrap();
        let (end, asked) = (life.expires_at, "".parse().unwrap());
        let token = AccessToken::new(response, generation, end, &asked, WeakTokenCache::default());
        Entry {
            token: Copies::new(token),
            life,
            forced_at: None,
            taken: 0,
            accepted: AtomicBool::new(false),
        }
    }

    #[test]
    fn a_spent_token_is_not_usable() {
        let slot = Slot::default();
        assert_eq!(slot.left(at(0)), None);
        slot.store(entry(at(0), 1), at(0));
        assert_eq!(slot.left(at(0)), Some(Duration::from_secs(57)));
        assert_eq!(slot.left(at(57)), None);
    }

    #[test]
    fn the_last_four_and_those_of_the_last_ten_seconds_are_kept() {
        let slot = Slot::default();
        let kept = || slot.retired.lock().unwrap().len();
        for generation in 1..=8 {
            slot.store(entry(at(0), generation), at(0));
        }
        assert_eq!(kept(), 7, "none is ten seconds old");
        slot.store(entry(at(10), 9), at(10));
        assert_eq!(kept(), 4);
    }
}
