//! The data that all handles of a cache share, and the tokens that the cache hands out.

use std::{
    fmt,
    sync::{Arc, PoisonError, Weak, atomic, atomic::Ordering::Relaxed},
    time::Duration,
};

use http::HeaderValue;

use super::{
    client::{Client, Settings},
    denials::Standing,
    per_thread::Duplicate,
    slot::{CachedToken, Slot},
    state::RefreshState,
    sync::{AtomicBool, AtomicU64, Mutex, MutexGuard},
};
use crate::{
    AccessToken, Error, TokenRequest,
    time::{AnyClock, Now, nanoseconds},
};

pub(super) struct Inner {
    pub(super) slot: Slot<Issued>,
    pub(super) next_refresh: NotBefore,
    pub(super) state: Mutex<RefreshState>,
    pub(super) counters: Counters,
    /// Whether this is the source's own cache.
    pub(super) is_default: bool,
    pub(super) clock: AnyClock,
    /// Shared by all caches of one source.
    pub(super) client: Arc<Client>,
    pub(super) request: TokenRequest,
    /// Identifies the cache to the store.
    pub(super) id: CacheId,
}

/// A number that no other cache of the process has.
pub(super) struct CacheId(pub(super) u64);

impl CacheId {
    pub(super) fn next() -> Self {
        static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// Counters for [`CacheStatus`](super::CacheStatus). No decision depends on them, so that they need
/// not be loom's under loom.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Fetches that called the source.
    token_requests: atomic::AtomicU64,
    /// Operations of the shared store that failed.
    store_failures: atomic::AtomicU64,
}

impl Counters {
    pub(super) fn token_requests(&self) -> u64 {
        self.token_requests.load(Relaxed)
    }

    pub(super) fn count_token_request(&self) {
        self.token_requests.fetch_add(1, Relaxed);
    }

    pub(super) fn store_failures(&self) -> u64 {
        self.store_failures.load(Relaxed)
    }

    pub(super) fn count_store_failure(&self) {
        self.store_failures.fetch_add(1, Relaxed);
    }
}

/// The time from which on a read of a stale token may start a refresh, in nanoseconds of the
/// monotonic clock. Before that time reads take no lock: a fetch is in flight, or backs off.
///
/// A `u64` holds 584 years.
#[derive(Debug, Default)]
pub(super) struct NotBefore(AtomicU64);

impl NotBefore {
    pub(super) fn is_reached(&self, now: Now) -> bool {
        nanoseconds(now.monotonic) >= self.0.load(Relaxed)
    }

    pub(super) fn set(&self, time: Duration) {
        self.0.store(nanoseconds(time), Relaxed);
    }

    pub(super) fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

impl Inner {
    pub(super) fn settings(&self) -> &Settings {
        self.client.settings()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, RefreshState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the error that callers receive until the next attempt is due: after a failure of this
    /// cache, or after a denial of the client in any cache of its source.
    pub(super) fn backing_off(&self, state: &RefreshState, now: Now) -> Option<Error> {
        let credentials = self.client.credentials();
        let own = state.backing_off(now, credentials);
        own.or_else(|| self.client_backing_off(state, now, credentials))
    }

    /// Like [`backing_off`](Self::backing_off), as if no token were usable.
    pub(super) fn backing_off_without_token(
        &self,
        state: &RefreshState,
        now: Now,
    ) -> Option<Error> {
        let credentials = self.client.credentials();
        let own = state.backing_off_without_token(now, credentials);
        own.or_else(|| self.client_backing_off(state, now, credentials))
    }

    fn client_backing_off(
        &self,
        state: &RefreshState,
        now: Now,
        credentials: u64,
    ) -> Option<Error> {
        let standing = state.standing(credentials, self.is_default);
        self.client.backing_off(now, standing)
    }

    /// Returns the standing of this cache among those of its source.
    pub(super) fn standing(&self, state: &RefreshState) -> Standing {
        state.standing(self.client.credentials(), self.is_default)
    }

    /// Attaches this cache to a token.
    pub(super) fn issue(self: &Arc<Self>, token: AccessToken) -> Issued {
        Issued::new(token, Arc::downgrade(self))
    }

    /// Records that an API accepted the token of this generation.
    fn accept(&self, generation: u64) {
        self.slot.current(|cached: &CachedToken<Issued>| {
            if cached.token.original().token().generation() == generation {
                cached.accepted.store(true, Relaxed);
            }
        });
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        state.unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

/// A token together with the cache that handed it out. Reports to that cache whether an API
/// accepted or rejected the token.
///
/// Clones share one allocation. The cache keeps one for each thread, so that a request touches no
/// count that other threads write.
#[derive(Clone)]
pub(crate) struct Issued(Arc<IssuedData>);

/// Aligned, so that the counts of two copies are on different cache lines. It fills one line.
#[repr(align(64))]
struct IssuedData {
    /// A clone of the token's, so that a request reads one allocation.
    header: HeaderValue,
    token: AccessToken,
    cache: Weak<Inner>,
    /// Whether this copy has reported that an API accepted the token.
    acceptance_reported: AtomicBool,
}

// loom's atomics are larger
#[cfg(not(auth_loom))]
const _: () = assert!(size_of::<IssuedData>() == 64 || size_of::<usize>() != 8);

impl Issued {
    pub(super) fn new(token: AccessToken, cache: Weak<Inner>) -> Self {
        Self(Arc::new(IssuedData {
            header: token.header().clone(),
            token,
            cache,
            acceptance_reported: AtomicBool::new(false),
        }))
    }

    #[inline]
    pub(crate) fn token(&self) -> &AccessToken {
        &self.0.token
    }

    #[inline]
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    pub(super) fn cache(&self) -> Option<Arc<Inner>> {
        self.0.cache.upgrade()
    }

    /// Returns the monotonic time by the cache's clock. `None` if the cache was dropped.
    pub(crate) fn monotonic_now(&self) -> Option<Duration> {
        Some(self.cache()?.clock.now().monotonic)
    }

    /// Reports that an API accepted the token. Every call after the first only reads memory that no
    /// other thread writes.
    #[inline]
    pub(crate) fn accepted(&self) {
        if !self.0.acceptance_reported.load(Relaxed) {
            self.report_acceptance();
        }
    }

    #[cold]
    fn report_acceptance(&self) {
        self.0.acceptance_reported.store(true, Relaxed);
        if let Some(cache) = self.cache() {
            cache.accept(self.token().generation());
        }
    }

    /// Reports that a request is replayed with this token.
    pub(crate) fn replayed(&self) {
        if let Some(cache) = self.cache() {
            cache.state().rejections().replays += 1;
        }
    }

    /// Returns whether the cache would still hand out this token.
    pub(crate) fn is_current(&self) -> bool {
        self.cache().is_some_and(|cache| {
            let now = cache.clock.now();
            let generation = cache
                .slot
                .usable(now, |cached| cached.token.original().token().generation());
            generation == Some(self.token().generation())
        })
    }
}

impl AsRef<AccessToken> for Issued {
    fn as_ref(&self) -> &AccessToken {
        self.token()
    }
}

impl Duplicate for Issued {
    fn duplicate(&self) -> Self {
        Self::new(self.token().duplicate(), self.0.cache.clone())
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token().fmt(f)
    }
}
