//! The map alone, with values that record whether they are in use.

mod aliases;
mod model;
mod threads;

use std::{
    collections::BTreeSet,
    hash::RandomState,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use super::*;

/// A handle to the value that was created for a key.
#[derive(Clone, Debug)]
struct Handle(Arc<Value>);

#[derive(Debug)]
struct Value {
    key: u32,
    evicted: AtomicBool,
}

impl Handle {
    fn of(key: u32) -> Self {
        let evicted = AtomicBool::new(false);
        Self(Arc::new(Value { key, evicted }))
    }

    fn is_evicted(&self) -> bool {
        self.0.evicted.load(SeqCst)
    }
}

impl Evictable for Handle {
    fn is_in_use(&self, handles: usize) -> bool {
        Arc::strong_count(&self.0) > handles
    }

    fn evicted(&self) {
        assert!(!self.0.evicted.swap(true, SeqCst), "it was evicted twice");
    }
}

type Map = BoundedMap<u32, Handle, RandomState>;

fn map(max_capacity: usize, idle: u64) -> Map {
    let time_to_idle = Duration::from_secs(idle);
    BoundedMap::new(Limits {
        max_capacity,
        time_to_idle,
    })
}

fn at(milliseconds: u64) -> Now {
    Now {
        monotonic: Duration::from_millis(milliseconds),
        wall: Duration::from_secs(1_700_000_000),
    }
}

fn handle(map: &Map, key: u32, now: Now) -> Handle {
    let handle = map.handle(&key, now, || Handle::of(key));
    assert_eq!(handle.0.key, key);
    assert!(!handle.is_evicted());
    handle
}

fn is_read(map: &Map, key: u32, now: Now) -> bool {
    map.read(&key, now, |handle| Some(handle.0.key))
        .map(|found| assert_eq!(found, key))
        .is_some()
}

fn keys(map: &Map) -> BTreeSet<u32> {
    map.entries.pin().keys().copied().collect()
}

#[test]
fn the_least_recently_used_eighth_is_evicted() {
    let map = map(16, 3600);
    for key in 0..16 {
        handle(&map, key, at(u64::from(key) * 1000));
    }
    for key in [0, 2] {
        assert!(is_read(&map, key, at(20_000)));
    }
    handle(&map, 16, at(21_000));
    let left = (0..=16).filter(|key| ![1, 3].contains(key));
    assert_eq!(keys(&map), left.collect());
    handle(&map, 17, at(21_000));
    assert_eq!(map.len(), 16, "there was room for two");
}

#[test]
fn a_capacity_of_one_is_kept() {
    let map = map(1, 3600);
    for key in 0..10 {
        handle(&map, key, at(0));
        assert_eq!(keys(&map), [key].into());
    }
}

#[test]
fn values_in_use_stay_and_exceed_the_capacity() {
    let map = map(8, 10);
    let mut held: Vec<_> = (0..20).map(|key| handle(&map, key, at(0))).collect();
    handle(&map, 20, at(100_000));
    assert_eq!(map.len(), 21);
    assert!(!held.iter().any(Handle::is_evicted));
    let last = held.pop();
    drop(held);
    assert!(is_read(&map, 20, at(200_000)));
    handle(&map, 20, at(200_000));
    assert_eq!(keys(&map), [19, 20].into());
    drop(last);
}

#[test]
fn idle_values_are_evicted_when_a_handle_is_requested_whether_or_not_it_is_new() {
    for key in [2, 3] {
        let map = map(100, 60);
        for key in 0..3 {
            handle(&map, key, at(999));
        }
        assert!(is_read(&map, 1, at(50_000)));
        handle(&map, key, at(60_999));
        assert_eq!(keys(&map), [0, 1, 2, key].into(), "used within a minute");
        handle(&map, key, at(64_000));
        assert_eq!(
            keys(&map),
            [1, 2, key]
                .into_iter()
                .filter(|k| *k != 2 || key == 2)
                .collect()
        );
    }
}

#[test]
fn idle_values_are_evicted_when_another_is_read() {
    let map = map(100, 60);
    handle(&map, 0, at(0));
    handle(&map, 1, at(0));
    assert!(
        !is_read(&map, 7, at(1_000_000)),
        "a read that finds no value evicts none"
    );
    assert_eq!(map.len(), 2);
    assert!(is_read(&map, 0, at(1_000_000)));
    assert_eq!(keys(&map), [0].into());
}

#[test]
fn values_become_idle_by_the_monotonic_clock_only() {
    let map = map(100, 60);
    handle(&map, 0, at(0));
    let wall = Duration::from_secs(2_000_000_000);
    handle(&map, 1, Now { wall, ..at(0) });
    let wall = Duration::ZERO;
    handle(&map, 2, Now { wall, ..at(10_000) });
    assert_eq!(map.len(), 3);
    let monotonic = Duration::MAX;
    handle(&map, 3, Now { monotonic, ..at(0) });
    assert_eq!(keys(&map), [3].into());
    handle(&map, 4, at(0));
    assert_eq!(keys(&map), [3, 4].into(), "a clock that goes back");
}

#[test]
fn an_evicted_value_is_freed_at_once_if_no_thread_reads_it() {
    let map = map(1, 60);
    let first = Arc::downgrade(&handle(&map, 0, at(0)).0);
    assert!(first.upgrade().is_some());
    handle(&map, 1, at(0));
    assert!(first.upgrade().is_none());
}
