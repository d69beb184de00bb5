//! A bounded map whose reads take no lock.

use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher, Hash},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use papaya::{Guard, HashMap, ResizeMode};

use super::{last_used::LastUsed, limits::Limits};
use crate::time::Now;

/// A value of a map that hands out handles to its values and evicts them.
pub(crate) trait Evictable: Clone {
    /// Returns whether there is a handle in addition to the map's own.
    fn is_in_use(&self) -> bool;

    /// Called after the value has left the map, when no caller has a handle. Its memory may be
    /// freed later: another thread may be reading it.
    fn evicted(&self);
}

/// A map with a bounded number of entries, which evicts idle ones.
///
/// A read takes no lock. Its only write to memory that other threads read is the time of last use,
/// once a second. Everything else is done under one lock. While the lock is held the map hands out
/// no handle, so that an unused value stays unused until it has left the map, unless a concurrent
/// read clones it.
///
/// An insert evicts entries beyond the capacity, and any access may evict idle ones. A value in use
/// is never evicted: if all are in use, the map grows beyond its capacity.
pub(crate) struct BoundedMap<K, V, S> {
    entries: HashMap<K, Entry<V>, S>,
    threshold: Mutex<Threshold>,
    /// The second from which on an entry may be idle.
    search_from: AtomicU64,
    limits: Limits,
}

struct Entry<V> {
    value: V,
    last_used: LastUsed,
}

/// The number of entries beyond which a search for unused ones is worthwhile.
#[derive(Debug)]
struct Threshold {
    /// Larger than the capacity after a search that found too many values in use.
    entries: usize,
}

impl<K: Clone + Eq + Hash, V: Evictable, S: BuildHasher + Default> BoundedMap<K, V, S> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            // an insert moves the whole table. With the other mode, reads would search two tables
            // until enough further inserts had moved it
            entries: HashMap::builder()
                .hasher(S::default())
                .resize_mode(ResizeMode::Blocking)
                .build(),
            threshold: Mutex::new(Threshold {
                entries: limits.max_capacity,
            }),
            search_from: AtomicU64::new(0),
            limits,
        }
    }

    /// Applies `read` to the value under `key`, and records a use. `read` must be short: the map
    /// frees no evicted entry in the meantime.
    #[inline(always)]
    pub(crate) fn read<T>(
        &self,
        key: &K,
        now: Now,
        read: impl FnOnce(&V) -> Option<T>,
    ) -> Option<T> {
        let entries = self.entries.pin();
        let entry = entries.get(key)?;
        entry.last_used.record(now);
        if self.is_search_due(now) {
            self.search(now);
        }
        read(&entry.value)
    }

    /// Returns a handle to the value under `key`. If there is none, `make` creates it.
    pub(crate) fn handle(&self, key: &K, now: Now, make: impl FnOnce() -> V) -> V {
        match self.try_handle(key, now, || Ok::<V, Infallible>(make())) {
            Ok(handle) => handle,
            Err(never) => match never {},
        }
    }

    /// Like [`handle`](Self::handle), for a `make` that can fail.
    pub(crate) fn try_handle<E>(
        &self,
        key: &K,
        now: Now,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let guard = self.entries.guard();
        let mut threshold = self.threshold();
        let found = self.entries.get(key, &guard).map(|entry| {
            entry.last_used.record(now);
            entry.value.clone()
        });
        let more = usize::from(found.is_none());
        // if `make` fails, no other value is evicted
        let value = found.map_or_else(make, Ok)?;
        let searched = self.is_search_due(now) || self.len() + more > threshold.entries;
        if searched {
            *threshold = self.evict(more, now, &guard);
        }
        if more > 0 {
            let entry = Entry {
                value: value.clone(),
                last_used: LastUsed::at(now),
            };
            self.entries.insert(key.clone(), entry, &guard);
        }
        drop(threshold);
        if searched {
            // without this, evicted entries would be freed only after further evictions
            guard.flush();
        }
        Ok(value)
    }

    fn is_search_due(&self, now: Now) -> bool {
        now.monotonic.as_secs() >= self.search_from.load(Relaxed)
    }

    /// Evicts idle entries, unless another thread is doing so.
    #[cold]
    fn search(&self, now: Now) {
        let guard = self.entries.guard();
        if let Ok(mut threshold) = self.threshold.try_lock()
            && self.is_search_due(now)
        {
            *threshold = self.evict(0, now, &guard);
            drop(threshold);
            guard.flush();
        }
    }

    /// Returns whether `test` holds for one of the values.
    pub(crate) fn any(&self, test: impl FnMut(&V) -> bool) -> bool {
        let entries = self.entries.pin();
        entries.values().map(|entry| &entry.value).any(test)
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Evicts idle entries and, if `more` further entries would exceed the capacity, the least
    /// recently used ones.
    fn evict(&self, more: usize, now: Now, guard: &impl Guard) -> Threshold {
        let now = now.monotonic.as_secs();
        let limits = &self.limits;
        let entries = self.entries.iter(guard);
        let mut unused: Vec<_> = entries
            .filter(|(_, entry)| !entry.value.is_in_use())
            .map(|(key, entry)| (entry.last_used.second(), key, &entry.value))
            .collect();
        unused.sort_unstable_by_key(|(last_used, ..)| *last_used);
        let idle = unused.partition_point(|(last_used, ..)| limits.is_idle(*last_used, now));
        let excess = match (self.len() + more).checked_sub(limits.max_capacity) {
            None | Some(0) => 0,
            Some(excess) => excess - 1 + limits.eviction_batch(),
        };
        for (_, key, value) in unused.into_iter().take(idle.max(excess)) {
            self.entries.remove(key, guard);
            value.evicted();
        }
        let left = self.len() + more;
        let next = now.saturating_add(limits.search_interval());
        self.search_from.store(next, Relaxed);
        Threshold {
            entries: if left > limits.max_capacity {
                left + limits.eviction_batch()
            } else {
                limits.max_capacity
            },
        }
    }

    fn threshold(&self) -> MutexGuard<'_, Threshold> {
        self.threshold
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V, S> fmt::Debug for BoundedMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedMap")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
