//! A bounded map whose reads take no lock.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use papaya::{Guard, ResizeMode};

use super::{last_used::LastUsed, limits::Limits};
use crate::time::Now;

/// A value of a map that hands out handles to its values and evicts them.
pub(crate) trait Evictable: Clone {
    /// Returns whether there are more handles than the `handles` of the map.
    fn is_in_use(&self, handles: usize) -> bool;

    /// Called after the value has left the map, when no caller has a handle. Its memory may be
    /// freed later: another thread may be reading it.
    fn evicted(&self);
}

/// A map with a bounded number of entries, which evicts idle ones.
///
/// A read takes no lock. Its only write to memory that other threads read is the time of last use,
/// once a second. Everything else is done under one lock. While the lock is held the map hands out
/// no handle, so that an unused value stays unused until it has left the map, unless a concurrent
/// read clones it. No user code runs under the lock, apart from the traits of the key.
///
/// An insert evicts entries beyond the capacity, and any access may evict idle ones. A value in use
/// is never evicted: if all are in use, the map grows beyond its capacity.
///
/// A value may have further keys, its aliases. A read by an alias is as fast as any other, and a use
/// of the value. The capacity bounds the values, and four times the capacity the aliases.
pub(crate) struct BoundedMap<K, V, S> {
    entries: papaya::HashMap<K, Entry<V>, S>,
    locked: Mutex<Locked<K, S>>,
    /// The second from which on an entry may be idle.
    search_from: AtomicU64,
    limits: Limits,
}

struct Entry<V> {
    value: V,
    last_used: LastUsed,
}

struct Locked<K, S> {
    /// The number of values beyond which a search for unused ones is worthwhile. It is larger than
    /// the capacity after a search that found too many values in use.
    threshold: usize,
    /// The key of each alias; `None` if its value is not one of the map's own.
    aliases: HashMap<K, Option<K>, S>,
}

/// The aliases of one value.
#[derive(Clone, Copy, Default)]
struct Aliases {
    count: usize,
    /// The second of the last use of any of them.
    last_used: u64,
}

impl<K: Clone + Eq + Hash, V: Evictable, S: BuildHasher + Default> BoundedMap<K, V, S> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            // an insert moves the whole table. With the other mode, reads would search two tables
            // until enough further inserts had moved it
            entries: papaya::HashMap::builder()
                .hasher(S::default())
                .resize_mode(ResizeMode::Blocking)
                .build(),
            locked: Mutex::new(Locked {
                threshold: limits.max_capacity,
                aliases: HashMap::default(),
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

    /// Applies `read` to the value under `key`, which is no use of the value.
    pub(crate) fn peek<T>(&self, key: &K, read: impl FnOnce(&V) -> T) -> Option<T> {
        let entries = self.entries.pin();
        entries.get(key).map(|entry| read(&entry.value))
    }

    /// Returns a handle to the value under `key`, if there is one.
    pub(crate) fn get(&self, key: &K, now: Now) -> Option<V> {
        let guard = self.entries.guard();
        let mut locked = self.locked();
        let found = self.found(key, now, &guard)?;
        let searched = self.is_search_due(now);
        if searched {
            self.evict(&mut locked, 0, now, &guard);
        }
        drop(locked);
        if searched {
            guard.flush();
        }
        Some(found)
    }

    /// Returns a handle to the value under `key`. If there is none, `make` creates it, under the
    /// lock: it is no user code.
    pub(crate) fn handle(&self, key: &K, now: Now, make: impl FnOnce() -> V) -> V {
        let guard = self.entries.guard();
        let mut locked = self.locked();
        let found = self.found(key, now, &guard);
        let more = usize::from(found.is_none());
        let value = found.unwrap_or_else(make);
        let values = self.entries.len() - locked.aliases.len();
        let searched = self.is_search_due(now) || values + more > locked.threshold;
        if searched {
            self.evict(&mut locked, more, now, &guard);
        }
        if more > 0 {
            self.insert(key, &value, now, &guard);
        }
        drop(locked);
        if searched {
            // without this, evicted entries would be freed only after further evictions
            guard.flush();
        }
        value
    }

    /// Makes `alias` another key of `value`, which is in the map under `key`, or outside the map if
    /// there is no `key`. The caller has a handle to the value.
    pub(crate) fn alias(&self, alias: &K, key: Option<&K>, value: &V, now: Now) {
        let guard = self.entries.guard();
        let mut locked = self.locked();
        if self.entries.get(alias, &guard).is_some() {
            return;
        }
        // `key` may be an alias itself, if the source's effective requests are no fixed points
        let key = match key.and_then(|key| locked.aliases.get(key)) {
            Some(key) => key.clone(),
            None => key.cloned(),
        };
        let value = match &key {
            Some(key) => match self.entries.get(key, &guard) {
                Some(entry) => &entry.value,
                None => return,
            },
            None => value,
        };
        let searched = locked.aliases.len() >= self.limits.max_aliases();
        if searched {
            self.evict_aliases(&mut locked, 1, now, &guard);
        }
        self.insert(alias, value, now, &guard);
        locked.aliases.insert(alias.clone(), key);
        drop(locked);
        if searched {
            guard.flush();
        }
    }

    fn insert(&self, key: &K, value: &V, now: Now, guard: &impl Guard) {
        let entry = Entry {
            value: value.clone(),
            last_used: LastUsed::at(now),
        };
        self.entries.insert(key.clone(), entry, guard);
    }

    /// Returns a handle to the value under `key`, and records a use.
    fn found(&self, key: &K, now: Now, guard: &impl Guard) -> Option<V> {
        let entry = self.entries.get(key, guard)?;
        entry.last_used.record(now);
        Some(entry.value.clone())
    }

    fn is_search_due(&self, now: Now) -> bool {
        now.monotonic.as_secs() >= self.search_from.load(Relaxed)
    }

    /// Evicts idle entries, unless another thread is doing so.
    #[cold]
    fn search(&self, now: Now) {
        let guard = self.entries.guard();
        if let Ok(mut locked) = self.locked.try_lock()
            && self.is_search_due(now)
        {
            self.evict(&mut locked, 0, now, &guard);
            drop(locked);
            guard.flush();
        }
    }

    /// Calls `visit` with each value of the map.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&V)) {
        let entries = self.entries.pin();
        entries.values().for_each(|entry| visit(&entry.value));
    }

    /// Returns whether a value of the map is in use, and the number of aliases of values outside the
    /// map.
    pub(crate) fn is_in_use(&self) -> (bool, usize) {
        let guard = self.entries.guard();
        let locked = self.locked();
        let (aliases, outside) = self.aliases(&locked, &guard);
        let mut entries = self.entries.iter(&guard);
        let is_in_use = entries.any(|(key, entry)| {
            !locked.aliases.contains_key(key) && {
                let aliases = aliases.get(key).copied().unwrap_or_default();
                entry.value.is_in_use(1 + aliases.count)
            }
        });
        (is_in_use, outside)
    }

    /// Returns the number of values.
    pub(crate) fn len(&self) -> usize {
        let locked = self.locked();
        self.entries.len() - locked.aliases.len()
    }

    /// Returns the aliases of each key, and the number of aliases of values outside the map.
    fn aliases<'l>(
        &self,
        locked: &'l Locked<K, S>,
        guard: &impl Guard,
    ) -> (HashMap<&'l K, Aliases, S>, usize) {
        let mut of_key: HashMap<&K, Aliases, S> = HashMap::default();
        let mut outside = 0;
        for (alias, key) in &locked.aliases {
            let Some(key) = key else {
                outside += 1;
                continue;
            };
            let last_used = self.entries.get(alias, guard);
            let last_used = last_used.map_or(0, |entry| entry.last_used.second());
            let aliases = of_key.entry(key).or_default();
            aliases.count += 1;
            aliases.last_used = aliases.last_used.max(last_used);
        }
        (of_key, outside)
    }

    /// Evicts idle values and, if `more` further values would exceed the capacity, the least
    /// recently used ones.
    fn evict(&self, locked: &mut Locked<K, S>, more: usize, now: Now, guard: &impl Guard) {
        let second = now.monotonic.as_secs();
        let limits = &self.limits;
        let values = self.entries.len() - locked.aliases.len();
        let evicted = {
            let (aliases, _) = self.aliases(locked, guard);
            let mut unused: Vec<_> = self
                .entries
                .iter(guard)
                .filter(|(key, _)| locked.aliases.is_empty() || !locked.aliases.contains_key(*key))
                .filter_map(|(key, entry)| {
                    let aliases = aliases.get(key).copied().unwrap_or_default();
                    let last_used = entry.last_used.second().max(aliases.last_used);
                    let is_in_use = entry.value.is_in_use(1 + aliases.count);
                    (!is_in_use).then_some((last_used, key, &entry.value))
                })
                .collect();
            unused.sort_unstable_by_key(|(last_used, ..)| *last_used);
            let idle = unused.partition_point(|(last_used, ..)| limits.is_idle(*last_used, second));
            let excess = match (values + more).checked_sub(limits.max_capacity) {
                None | Some(0) => 0,
                Some(excess) => excess - 1 + limits.eviction_batch(),
            };
            unused.truncate(idle.max(excess));
            unused
        };
        if !locked.aliases.is_empty() {
            let keys: std::collections::HashSet<_, S> =
                evicted.iter().map(|(_, key, _)| *key).collect();
            locked.aliases.retain(|alias, key| {
                let stays = !key.as_ref().is_some_and(|key| keys.contains(key));
                if !stays {
                    self.entries.remove(alias, guard);
                }
                stays
            });
            self.evict_aliases(locked, 0, now, guard);
        }
        for (_, key, value) in &evicted {
            self.entries.remove(*key, guard);
            value.evicted();
        }
        let left = values - evicted.len() + more;
        let next = second.saturating_add(limits.search_interval());
        self.search_from.store(next, Relaxed);
        locked.threshold = if left > limits.max_capacity {
            left + limits.eviction_batch()
        } else {
            limits.max_capacity
        };
    }

    /// Removes idle aliases and, if `more` further aliases would exceed the capacity, the least
    /// recently used ones. Their values stay.
    fn evict_aliases(&self, locked: &mut Locked<K, S>, more: usize, now: Now, guard: &impl Guard) {
        let (now, limits) = (now.monotonic.as_secs(), &self.limits);
        let used = |alias: &K| {
            let entry = self.entries.get(alias, guard);
            entry.map_or(0, |entry| entry.last_used.second())
        };
        let mut aliases: Vec<_> = locked.aliases.keys().map(|key| (used(key), key)).collect();
        aliases.sort_unstable_by_key(|(last_used, _)| *last_used);
        let idle = aliases.partition_point(|(last_used, _)| limits.is_idle(*last_used, now));
        let excess = match (aliases.len() + more).checked_sub(limits.max_aliases()) {
            None | Some(0) => 0,
            Some(excess) => excess - 1 + limits.eviction_batch(),
        };
        aliases.truncate(idle.max(excess));
        let aliases: Vec<K> = aliases
            .into_iter()
            .map(|(_, alias)| alias.clone())
            .collect();
        for alias in aliases {
            locked.aliases.remove(&alias);
            self.entries.remove(&alias, guard);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Locked<K, S>> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
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
