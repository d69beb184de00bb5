//! Further keys of a value, as `TokenCaches` uses them.

use std::{collections::BTreeMap, sync::Weak, thread};

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Keys from here on are aliases: of the key that is as much smaller.
const ALIASES: u32 = 8;
/// The key whose value is outside the map.
const OUTSIDE: u32 = 7;

/// Returns a handle to the value of a given key.
fn given(map: &Map, outside: &Handle, given: u32, now: Now) -> Handle {
    if let Some(handle) = map.get(&given, now) {
        return handle;
    }
    let key = given % ALIASES;
    if key == OUTSIDE {
        map.alias(&given, None, outside, now);
        return outside.clone();
    }
    let handle = map.handle(&key, now, || Handle::of(key));
    if key != given {
        map.alias(&given, Some(&key), &handle, now);
    }
    handle
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Read(u32),
    Get(u32),
    Hold(u32),
    Drop,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    // several aliases of each key
    let key = 0..4 * ALIASES;
    prop_oneof![
        4 => key.clone().prop_map(Step::Read),
        4 => key.clone().prop_map(Step::Get),
        2 => key.prop_map(Step::Hold),
        2 => Just(Step::Drop),
        2 => select(vec![1, 1000, 20_000]).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_one_value_by_all_its_keys(
        max_capacity in select(vec![1, 2, 3, 100]),
        idle in select(vec![1, 5, 32]),
        steps in vec(step(), 1..200),
    ) {
        let (map, outside) = (map(max_capacity, idle), Handle::of(OUTSIDE));
        let mut values: BTreeMap<u32, Weak<Value>> = BTreeMap::new();
        let mut used: BTreeMap<u32, u64> = BTreeMap::new();
        let (mut held, mut max_held, mut now) = (Vec::<Handle>::new(), 0, 0);
        for step in steps {
            match step {
                Step::Read(given) => {
                    let key = given % ALIASES;
                    let found = map.read(&given, at(now), |one| Some(one.0.key));
                    assert!(found.is_none_or(|found| found == key));
                    if found.is_some() {
                        used.insert(key, now / 1000);
                    }
                }
                Step::Get(key) | Step::Hold(key) => {
                    let handle = given(&map, &outside, key, at(now));
                    let key = key % ALIASES;
                    assert_eq!(handle.0.key, key);
                    assert!(!handle.is_evicted());
                    let value = Arc::downgrade(&handle.0);
                    let before = values.insert(key, value.clone());
                    if let Some(before) = before.and_then(|before| before.upgrade()) {
                        // memory of an evicted value may be freed later
                        let same = Weak::ptr_eq(&Arc::downgrade(&before), &value);
                        assert!(same || before.evicted.load(SeqCst));
                    }
                    used.insert(key, now / 1000);
                    if matches!(step, Step::Hold(_)) {
                        held.push(handle);
                    }
                }
                Step::Drop if held.is_empty() => {}
                Step::Drop => drop(held.remove(0)),
                Step::Pass(milliseconds) => now += milliseconds,
            }
            max_held = max_held.max(held.len());
            assert!(!held.iter().any(Handle::is_evicted));
            assert!(!outside.is_evicted());
            let batch = map.limits.eviction_batch();
            assert!(map.len() <= max_capacity.max(max_held + 1 + batch));
            let locked = map.locked();
            assert!(locked.aliases.len() <= map.limits.max_aliases());
            let entries = map.entries.pin();
            for (alias, key) in &locked.aliases {
                let value = &entries.get(alias).unwrap().value;
                let expected = key.as_ref().map_or(&outside, |key| &entries.get(key).unwrap().value);
                assert!(Arc::ptr_eq(&value.0, &expected.0), "an alias of no value");
                assert!(!value.is_evicted());
            }
            // a value that was used lately by any key is there, unless there were too many
            if used.len() < max_capacity {
                for (key, used) in used.iter().filter(|(key, _)| **key != OUTSIDE) {
                    let is_idle = map.limits.is_idle(*used, now / 1000);
                    assert!(is_idle || entries.contains_key(key), "{key} was evicted early");
                }
            }
        }
        drop(held);
        let (_, outside_aliases) = map.is_in_use();
        assert!(Arc::strong_count(&outside.0) > outside_aliases);
    }
}

#[test]
fn threads_find_one_value_by_all_its_keys() {
    let (map, outside) = (map(3, 1), Handle::of(OUTSIDE));
    let clock = std::sync::atomic::AtomicU64::new(0);
    thread::scope(|scope| {
        for seed in 0..4 {
            let (map, outside, clock) = (&map, &outside, &clock);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..10_000 {
                    let now = at(clock.fetch_add(1, SeqCst));
                    let key = random.u32(..4 * ALIASES);
                    let found = map.read(&key, now, |one| Some(one.0.key));
                    assert!(found.is_none_or(|found| found == key % ALIASES));
                    let handle = given(map, outside, key, now);
                    assert_eq!(handle.0.key, key % ALIASES);
                    assert!(!handle.is_evicted());
                }
            });
        }
    });
    assert!(map.len() <= 3 + 4 + 1);
}
