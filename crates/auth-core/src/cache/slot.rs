//! The current token: the only user of arc-swap.
//!
//! A read takes no lock. arc-swap's soundness under weak memory has been disputed, and its version
//! 1.9.3 leaves open whether the default strategy may read freed memory (issue 210). Therefore
//! replaced tokens are kept alive for a while: a reader would have to stay inside one load for
//! several refreshes to meet freed memory.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

#[cfg(not(auth_loom))]
use arc_swap::ArcSwapOption;
use http::HeaderValue;
#[cfg(auth_loom)]
use stand_in::{ArcSwapOption, Guard};

use super::{
    deadlines::Deadlines,
    per_thread::{Duplicate, Mine, PerThread},
    policy::Probation,
    sync::{AtomicBool, Mutex, MutexGuard},
};
use crate::{AccessToken, Authorization, time::Now};

/// The minimum number of replaced tokens that are kept.
const MIN_RETIRED: usize = 4;
/// The minimum time for which a replaced token is kept.
const RETIRED_FOR: Duration = Duration::from_secs(10);

/// A token with its deadlines, and whether an API has accepted it.
///
/// The fields that a hit reads come first, so that they take few cache lines.
#[derive(Debug)]
#[repr(C)]
pub(super) struct CachedToken<T> {
    pub(super) token: PerThread<T>,
    /// The original's, so that a hit by its thread reads no further allocation.
    authorization: Authorization,
    pub(super) deadlines: Deadlines,
    /// `None` if the token did not replace a rejected one, which is the rule.
    probation: Option<Box<Probation>>,
    /// The number of consecutive replacements, this one included, that came from the shared store.
    pub(super) store_replacements: u32,
    /// Whether an API has accepted the token, since its copies were renewed if they were.
    pub(super) accepted: AtomicBool,
    /// Whether the copies were renewed, because an API had accepted the token.
    is_renewed: bool,
}

impl<T: AsRef<AccessToken> + Duplicate> CachedToken<T> {
    pub(super) fn new(
        token: T,
        deadlines: Deadlines,
        probation: Option<Probation>,
        store_replacements: u32,
    ) -> Self {
        Self {
            authorization: token.as_ref().authorization(),
            token: PerThread::new(token),
            deadlines,
            probation: probation.map(Box::new),
            store_replacements,
            accepted: AtomicBool::new(false),
            is_renewed: false,
        }
    }

    /// Returns the authorization of the calling thread's copy.
    #[inline(always)]
    pub(super) fn authorization(&self) -> &Authorization {
        match self.token.mine() {
            Mine::Original => &self.authorization,
            Mine::Copy(copy) => copy.as_ref().shared_authorization(),
        }
    }
}

impl<T> CachedToken<T> {
    /// Returns the number of consecutive replacements that came from the shared store and were not accepted.
    pub(super) fn unaccepted_store_replacements(&self) -> u32 {
        match self.accepted.load(Relaxed) {
            true => 0,
            false => self.store_replacements,
        }
    }
}

impl<T> CachedToken<T> {
    /// Returns how often in a row the token endpoint returned an old token once more, if it was not
    /// accepted.
    pub(super) fn unaccepted_reissues(&self) -> u32 {
        self.probation().map_or(0, Probation::reissues)
    }

    /// Returns the token's probation, unless an API has accepted the token.
    pub(super) fn probation(&self) -> Option<Probation> {
        let probation = self.probation.as_deref().copied();
        probation.filter(|_| !self.accepted.load(Relaxed))
    }

    /// Returns whether an API has ever accepted the token.
    pub(super) fn was_accepted(&self) -> bool {
        self.is_renewed || self.accepted.load(Relaxed)
    }

    /// Returns whether the token replaced a rejected one, was not accepted, and it or one before it
    /// was spared the probation of 30 s.
    pub(super) fn is_spared(&self) -> bool {
        !self.was_accepted() && self.probation().is_some_and(Probation::is_spared)
    }
}

#[derive(Debug)]
pub(super) struct Slot<T> {
    current: ArcSwapOption<CachedToken<T>>,
    /// `None` until a token has been replaced: thousands of keys have a first token only.
    kept: Mutex<Option<Box<Kept<T>>>>,
}

/// The tokens that are kept for a while.
#[derive(Debug)]
struct Kept<T> {
    replaced: Retired<T>,
    /// Earlier copies of current tokens. They do not take the place of replaced tokens.
    renewed: Retired<T>,
}

/// The current token under arc-swap's guard. It is held only for a short time, and not across an await.
pub(super) struct Current<T>(Guard<CachedToken<T>>);

#[cfg(not(auth_loom))]
type Guard<T> = arc_swap::Guard<Option<Arc<T>>>;

impl<T> Current<T> {
    /// Returns the token, usable or expired.
    #[inline(always)]
    pub(super) fn token(&self) -> Option<&CachedToken<T>> {
        self.0.as_deref()
    }
}
/// Replaced entries with the times of their replacement, by the monotonic clock.
type Retired<T> = VecDeque<(Duration, Arc<CachedToken<T>>)>;

impl<T> Slot<T> {
    /// Loads the current token. A caller that keeps the guard must be short, and cannot await.
    #[inline(always)]
    pub(super) fn load(&self) -> Current<T> {
        Current(self.current.load())
    }

    /// Applies `read` to the current token, if it is usable at `now`. `read` runs under arc-swap's
    /// guard: it must be short, and cannot await.
    pub(super) fn usable<R>(&self, now: Now, read: impl FnOnce(&CachedToken<T>) -> R) -> Option<R> {
        let guard = self.current.load();
        match guard.as_deref() {
            Some(cached) if !cached.deadlines.usable_until.is_reached(now) => Some(read(cached)),
            _ => None,
        }
    }

    /// Applies `read` to the current token, usable or expired.
    pub(super) fn current<R>(&self, read: impl FnOnce(&CachedToken<T>) -> R) -> Option<R> {
        self.current.load().as_deref().map(read)
    }

    /// Returns how much longer the current token is usable; `None` if it is not.
    pub(super) fn usable_for(&self, now: Now) -> Option<Duration> {
        self.usable(now, |cached| {
            now.until(cached.deadlines.usable_until.time())
        })
    }

    /// Returns whether the current token is usable and stale.
    pub(super) fn is_stale(&self, now: Now) -> bool {
        self.usable(now, |cached| cached.deadlines.stale_at.is_reached(now)) == Some(true)
    }

    /// Returns when the current token becomes stale; `None` if it is stale, or not usable.
    pub(super) fn fresh_until(&self, now: Now) -> Option<Now> {
        let stale_at = self.usable(now, |cached| cached.deadlines.stale_at)?;
        (!stale_at.is_reached(now)).then(|| stale_at.time())
    }

    fn kept(&self) -> MutexGuard<'_, Option<Box<Kept<T>>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn store(&self, token: CachedToken<T>, now: Now) {
        self.swap(Some(token), |kept| &mut kept.replaced, now);
    }

    fn swap(
        &self,
        token: Option<CachedToken<T>>,
        list: impl FnOnce(&mut Kept<T>) -> &mut Retired<T>,
        now: Now,
    ) {
        let Some(replaced) = self.current.swap(token.map(Arc::new)) else {
            return;
        };
        let mut kept = self.kept();
        let retired = list(kept.get_or_insert_default());
        retired.push_back((now.monotonic, replaced));
        let old = |(since, _): &(Duration, _)| since.saturating_add(RETIRED_FOR) <= now.monotonic;
        while retired.len() > MIN_RETIRED && retired.front().is_some_and(old) {
            retired.pop_front();
        }
    }
}

impl<T: AsRef<AccessToken> + Duplicate> Slot<T> {
    /// Replaces the current token's copies, after an API has accepted the token. The new ones report
    /// the next acceptance. The caller holds the lock of the state, so that no other token is stored
    /// meanwhile.
    pub(super) fn renew(&self, now: Now) {
        let renewed = self.current(|cached| {
            let token = cached.token.original().duplicate();
            CachedToken {
                is_renewed: true,
                ..CachedToken::new(token, cached.deadlines, None, 0)
            }
        });
        if renewed.is_some() {
            self.swap(renewed, |kept| &mut kept.renewed, now);
        }
    }

    /// Drops the current token, if it has this header. It counts as replaced. Returns whether it did.
    /// The caller holds the lock of the state, so that no other token is stored meanwhile.
    pub(super) fn remove(&self, header: &HeaderValue, now: Now) -> bool {
        let is_current =
            |cached: &CachedToken<T>| cached.token.original().as_ref().header() == header;
        let is_current = self.current(is_current) == Some(true);
        if is_current {
            self.swap(None, |kept| &mut kept.replaced, now);
        }
        is_current
    }
}

impl<T: AsRef<AccessToken> + Duplicate> Slot<T> {
    /// Returns whether the token with this header is one of the kept replaced tokens.
    pub(super) fn was_replaced(&self, header: &HeaderValue) -> bool {
        self.kept().as_ref().is_some_and(|kept| {
            let mut replaced = kept.replaced.iter();
            replaced.any(|(_, cached)| cached.token.original().as_ref().header() == header)
        })
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            current: ArcSwapOption::default(),
            kept: Mutex::default(),
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            replaced: VecDeque::new(),
            renewed: VecDeque::new(),
        }
    }
}

/// Replaces arc-swap under loom, which cannot explore arc-swap's code. Gives the same guarantees.
#[cfg(auth_loom)]
mod stand_in {
    use std::sync::{Arc, PoisonError};

    use super::super::sync::{Mutex, MutexGuard};

    pub(super) type Guard<T> = Option<Arc<T>>;

    #[derive(Debug)]
    pub(super) struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

    impl<T> Default for ArcSwapOption<T> {
        fn default() -> Self {
            Self(Mutex::new(None))
        }
    }

    impl<T> ArcSwapOption<T> {
        pub(super) fn load(&self) -> Guard<T> {
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
    use crate::{TokenResponse, cache::policy::RefreshPolicy};

    impl AsRef<AccessToken> for AccessToken {
        fn as_ref(&self) -> &AccessToken {
            self
        }
    }

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::from_secs(1_000 + seconds),
        }
    }

    fn token(now: Now, generation: u64) -> CachedToken<AccessToken> {
        let lifetime = Some(Duration::from_secs(60));
        let life = RefreshPolicy::default().life(now, now, lifetime, Duration::ZERO, 0.5);
        let response = TokenResponse::bearer("abc").unwrap();
        let requested = "".parse().unwrap();
        let token = AccessToken::new(response, generation, life.expires_at, &requested);
        CachedToken::new(token, Deadlines::from(&life), None, 0)
    }

    #[test]
    fn an_expired_token_is_not_usable() {
        let slot = Slot::default();
        assert_eq!(slot.usable_for(at(0)), None);
        slot.store(token(at(0), 1), at(0));
        assert_eq!(slot.usable_for(at(0)), Some(Duration::from_secs(57)));
        assert_eq!(slot.usable_for(at(57)), None);
    }

    #[test]
    fn renewed_copies_report_again_and_do_not_take_the_place_of_replaced_tokens() {
        let slot = Slot::default();
        for generation in 1..=6 {
            slot.store(token(at(0), generation), at(0));
        }
        let generation = |cached: &CachedToken<AccessToken>| {
            cached.accepted.store(true, Relaxed);
            cached.token.get().generation()
        };
        for seconds in 0..40 {
            assert_eq!(slot.usable(at(seconds), generation), Some(6));
            slot.renew(at(seconds));
            let accepted = |cached: &CachedToken<_>| cached.accepted.load(Relaxed);
            assert_eq!(slot.current(accepted), Some(false));
        }
        let kept = slot.kept();
        let kept = kept.as_ref().unwrap();
        assert_eq!(kept.replaced.len(), 5);
        assert_eq!(kept.renewed.len(), 10, "those of ten seconds");
    }

    #[test]
    fn the_last_four_replaced_tokens_and_those_of_the_last_ten_seconds_are_kept() {
        let slot = Slot::default();
        let retired = || slot.kept().as_ref().unwrap().replaced.len();
        for generation in 1..=8 {
            slot.store(token(at(0), generation), at(0));
        }
        assert_eq!(retired(), 7, "none was replaced ten seconds ago");
        slot.store(token(at(10), 9), at(10));
        assert_eq!(retired(), 4);
    }
}
