//! Random sequences of reads, handles and waits, checked against the guarantees of the map.

use std::{collections::BTreeMap, sync::Weak};

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const KEYS: u32 = 12;

#[derive(Clone, Copy, Debug)]
enum Step {
    Read(u32),
    /// A handle that is dropped at once.
    Handle(u32),
    Hold(u32),
    /// Drops the oldest handle.
    Drop,
    /// Advances the clock by milliseconds.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..KEYS).prop_map(Step::Read),
        4 => (0..KEYS).prop_map(Step::Handle),
        2 => (0..KEYS).prop_map(Step::Hold),
        2 => Just(Step::Drop),
        3 => select(vec![1, 400, 1000, 3000, 20_000]).prop_map(Step::Pass),
    ]
}

/// A map, and the expected state of it.
struct World {
    map: Map,
    now: u64,
    last_used: BTreeMap<u32, u64>,
    made: BTreeMap<u32, Weak<Value>>,
    held: Vec<Handle>,
    max_held: usize,
    last_searched: u64,
}

impl World {
    fn new(max_capacity: usize, idle: u64) -> Self {
        Self {
            map: map(max_capacity, idle),
            now: 0,
            last_used: BTreeMap::new(),
            made: BTreeMap::new(),
            held: Vec::new(),
            max_held: 0,
            last_searched: 0,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Read(key) => {
                let known = self.last_used.contains_key(&key);
                assert_eq!(is_read(&self.map, key, at(self.now)), known);
                if known {
                    self.last_used.insert(key, self.now / 1000);
                    self.observe_evictions_of_a_read();
                }
            }
            Step::Handle(key) => drop(self.handle(key)),
            Step::Hold(key) => {
                let handle = self.handle(key);
                self.held.push(handle);
                self.max_held = self.max_held.max(self.held.len());
            }
            Step::Drop if self.held.is_empty() => {}
            Step::Drop => drop(self.held.remove(0)),
            Step::Pass(milliseconds) => self.now += milliseconds,
        }
        assert_eq!(keys(&self.map), self.last_used.keys().copied().collect());
        assert!(!self.held.iter().any(Handle::is_evicted));
    }

    /// Checks and records the evictions of a read: idle values, and values beyond the capacity that
    /// were in use before.
    fn observe_evictions_of_a_read(&mut self) {
        let (there, now) = (keys(&self.map), self.now / 1000);
        let limits = self.map.limits;
        let too_many = self.last_used.len() > limits.max_capacity;
        self.last_used.retain(|key, used| {
            let stays = there.contains(key);
            let may_leave = too_many || limits.is_idle(*used, now);
            assert!(stays || may_leave, "{key} was evicted early");
            stays
        });
        self.made.retain(|key, _| there.contains(key));
        assert!(self.held.iter().all(|one| there.contains(&one.0.key)));
        self.last_searched = now;
    }

    fn handle(&mut self, key: u32) -> Handle {
        let before = self.last_used.clone();
        let handle = handle(&self.map, key, at(self.now));
        let made = Arc::downgrade(&handle.0);
        if before.contains_key(&key) {
            assert!(made.ptr_eq(&self.made[&key]), "created a second time");
        }
        self.made.insert(key, made);
        self.last_used.insert(key, self.now / 1000);
        let left: Vec<_> = before
            .keys()
            .copied()
            .filter(|key| self.map.read(key, at(0), |_| Some(())).is_none())
            .collect();
        for key in &left {
            self.last_used.remove(key);
            assert!(
                self.made.remove(key).unwrap().upgrade().is_none(),
                "not freed"
            );
        }
        self.check_evictions(key, &before, &left);
        self.last_searched = self.now / 1000;
        handle
    }

    /// Checks that the evicted values had to be evicted, and that the others were permitted to
    /// stay.
    fn check_evictions(&self, requested: u32, before: &BTreeMap<u32, u64>, left: &[u32]) {
        let (limits, now) = (self.map.limits, self.now / 1000);
        let is_free =
            |key: &u32| *key != requested && !self.held.iter().any(|one| one.0.key == *key);
        assert!(left.iter().all(is_free), "a value in use was evicted");

        let too_many =
            before.len() + usize::from(!before.contains_key(&requested)) > limits.max_capacity;
        let early = left.iter().filter(|key| !limits.is_idle(before[*key], now));
        let newest = early.clone().map(|key| before[key]).max();
        assert!(
            newest.is_none() || too_many,
            "a value was evicted early, below the capacity"
        );
        let mut stay = self.last_used.iter().filter(|(key, _)| is_free(key));
        assert!(
            stay.clone().all(|(_, used)| Some(*used) >= newest),
            "a more recently used value was evicted first"
        );
        let searched = now >= self.last_searched + limits.search_interval() || !left.is_empty();
        assert!(
            !searched || stay.all(|(_, used)| !limits.is_idle(*used, now)),
            "an idle value stayed"
        );
        let bound = limits
            .max_capacity
            .max(self.max_held + 1 + limits.eviction_batch());
        assert!(self.map.len() <= bound, "{} are too many", self.map.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn only_idle_and_surplus_values_are_evicted(
        max_capacity in select(vec![1, 2, 3, 8, 100]),
        idle in select(vec![1, 5, 32]),
        steps in vec(step(), 1..200),
    ) {
        let mut world = World::new(max_capacity, idle);
        for step in steps {
            world.take(step);
        }
    }
}
