//! The map alone: over values that say who holds them.

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

/// A handle to what was made for a key.
#[derive(Clone, Debug)]
struct Handle(Arc<Made>);

#[derive(Debug)]
struct Made {
    key: u32,
    ended: AtomicBool,
}

impl Handle {
    fn of(key: u32) -> Self {
        let ended = AtomicBool::new(false);
        Self(Arc::new(Made { key, ended }))
    }

    fn has_ended(&self) -> bool {
        self.0.ended.load(SeqCst)
    }
}

impl Evictable for Handle {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn evicted(&self) {
        assert!(!self.0.ended.swap(true, SeqCst), "it ended twice");
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
    assert!(!handle.has_ended());
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
fn the_eighth_that_was_least_recently_used_leaves() {
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
fn a_limit_of_one_is_a_limit() {
    let map = map(1, 3600);
    for key in 0..10 {
        handle(&map, key, at(0));
        assert_eq!(keys(&map), [key].into());
    }
}

#[test]
fn what_is_in_use_stays_and_the_limit_gives_way() {
    let map = map(8, 10);
    let mut held: Vec<_> = (0..20).map(|key| handle(&map, key, at(0))).collect();
    handle(&map, 20, at(100_000));
    assert_eq!(map.len(), 21);
    assert!(!held.iter().any(Handle::has_ended));
    let last = held.pop();
    drop(held);
    assert!(is_read(&map, 20, at(200_000)));
    handle(&map, 20, at(200_000));
    assert_eq!(keys(&map), [19, 20].into());
    drop(last);
}

#[test]
fn what_is_idle_leaves_when_a_handle_is_asked_for_whether_or_not_it_is_new() {
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
fn what_is_idle_leaves_when_another_is_read() {
    let map = map(100, 60);
    handle(&map, 0, at(0));
    handle(&map, 1, at(0));
    assert!(!is_read(&map, 7, at(1_000_000)), "not by a read in vain");
    assert_eq!(map.len(), 2);
    assert!(is_read(&map, 0, at(1_000_000)));
    assert_eq!(keys(&map), [0].into());
}

#[test]
fn only_the_monotonic_clock_makes_anything_idle() {
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
fn what_leaves_is_freed_at_once_if_nobody_reads_it() {
    let map = map(1, 60);
    let first = Arc::downgrade(&handle(&map, 0, at(0)).0);
    assert!(first.upgrade().is_some());
    handle(&map, 1, at(0));
    assert!(first.upgrade().is_none());
}
