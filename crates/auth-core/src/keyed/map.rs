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

/// What a map gives handles to.
pub(crate) trait Value: Clone {
    /// Whether there is a handle beside the map's own.
    fn is_in_use(&self) -> bool;

    /// It has left the map, and nobody has a handle. Its memory may outlast this: somebody may be
    /// reading it.
    fn end(&self);
}

/// Values by key, no more than a number of them, none for long without use.
///
/// A read takes no lock, and writes to nothing that other threads read but, once a second, when the
/// value was last used. Everything else is done under one lock: while it is held the map gives out no
/// handle, so that what is not in use mostly stays so until it has left the map.
///
/// Values that are too many leave it when another comes, idle ones when any is asked for. A value in
/// use never does: if all are, there are more than the limit.
pub(crate) struct Keyed<K, V, S> {
    values: HashMap<K, Kept<V>, S>,
    room: Mutex<Room>,
    /// The second from which on something may be idle.
    search_from: AtomicU64,
    limits: Limits,
}

struct Kept<V> {
    value: V,
    last_used: LastUsed,
}

/// How many values there may be before it is worthwhile to search for what can leave.
#[derive(Debug)]
struct Room {
    /// More than the limit after a search that found too many in use.
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Value, S: BuildHasher + Default> Keyed<K, V, S> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            // who inserts moves the table at once: else reads would look into two until others had
            // inserted enough
            values: HashMap::builder()
                .hasher(S::default())
                .resize_mode(ResizeMode::Blocking)
                .build(),
            room: Mutex::new(Room { most: limits.most }),
            search_from: AtomicU64::new(0),
            limits,
        }
    }

    /// What `read` makes of the value under `key`, which counts as a use of it. It must be short:
    /// meanwhile nothing that leaves the map is freed.
    #[inline(always)]
    pub(crate) fn read<T>(
        &self,
        key: &K,
        now: Now,
        read: impl FnOnce(&V) -> Option<T>,
    ) -> Option<T> {
        let values = self.values.pin();
        let kept = values.get(key)?;
        kept.last_used.note(now);
        if self.is_worth_a_search(now) {
            self.search(now);
        }
        read(&kept.value)
    }

    /// A handle to the value under `key`, which `make` makes if there is none.
    pub(crate) fn handle(&self, key: &K, now: Now, make: impl FnOnce() -> V) -> V {
        match self.try_handle(key, now, || Ok::<V, Infallible>(make())) {
            Ok(handle) => handle,
            Err(never) => match never {},
        }
    }

    /// The same, if `make` can fail.
    pub(crate) fn try_handle<E>(
        &self,
        key: &K,
        now: Now,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let guard = self.values.guard();
        let mut room = self.room();
        let found = self.values.get(key, &guard).map(|kept| {
            kept.last_used.note(now);
            kept.value.clone()
        });
        let more = usize::from(found.is_none());
        // what cannot be made takes nobody's place
        let value = found.map_or_else(make, Ok)?;
        let searched = self.is_worth_a_search(now) || self.len() + more > room.most;
        if searched {
            *room = self.make_room(more, now, &guard);
        }
        if more > 0 {
            let kept = Kept {
                value: value.clone(),
                last_used: LastUsed::at(now),
            };
            self.values.insert(key.clone(), kept, &guard);
        }
        drop(room);
        if searched {
            // else what has left is freed only when more has
            guard.flush();
        }
        Ok(value)
    }

    fn is_worth_a_search(&self, now: Now) -> bool {
        now.monotonic.as_secs() >= self.search_from.load(Relaxed)
    }

    /// Removes what is idle, unless somebody is just doing so.
    #[cold]
    fn search(&self, now: Now) {
        let guard = self.values.guard();
        if let Ok(mut room) = self.room.try_lock()
            && self.is_worth_a_search(now)
        {
            *room = self.make_room(0, now, &guard);
            drop(room);
            guard.flush();
        }
    }

    /// Whether `test` holds for one of the values.
    pub(crate) fn any(&self, test: impl FnMut(&V) -> bool) -> bool {
        let values = self.values.pin();
        values.values().map(|kept| &kept.value).any(test)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Removes what is idle and, if there are too many with `more` of them, the least recently used.
    fn make_room(&self, more: usize, now: Now, guard: &impl Guard) -> Room {
        let now = now.monotonic.as_secs();
        let limits = &self.limits;
        let kept = self.values.iter(guard);
        let mut unused: Vec<_> = kept
            .filter(|(_, kept)| !kept.value.is_in_use())
            .map(|(key, kept)| (kept.last_used.second(), key, &kept.value))
            .collect();
        unused.sort_unstable_by_key(|(last_used, ..)| *last_used);
        let idle = unused.partition_point(|(last_used, ..)| limits.is_idle(*last_used, now));
        let excess = match (self.len() + more).checked_sub(limits.most) {
            None | Some(0) => 0,
            Some(excess) => excess - 1 + limits.share(),
        };
        for (_, key, value) in unused.into_iter().take(idle.max(excess)) {
            self.values.remove(key, guard);
            value.end();
        }
        let left = self.len() + more;
        let next = now.saturating_add(limits.pause());
        self.search_from.store(next, Relaxed);
        Room {
            most: if left > limits.most {
                left + limits.share()
            } else {
                limits.most
            },
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V, S> fmt::Debug for Keyed<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
