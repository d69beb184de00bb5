//! Real threads that read, ask for handles and drop them, while values leave all the time.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    thread,
};

use super::*;

const THREADS: u64 = 4;
const KEYS: usize = 64;
const STEPS: u64 = 20_000;

/// What is alive for each key, and how much memory is not freed yet.
struct Census {
    of_key: [AtomicI64; KEYS],
    unfreed: AtomicI64,
}

#[derive(Clone)]
struct Citizen<'a>(Arc<Life<'a>>);

struct Life<'a> {
    key: usize,
    census: &'a Census,
}

impl<'a> Citizen<'a> {
    fn born(key: usize, census: &'a Census) -> Self {
        let alive = census.of_key[key].fetch_add(1, SeqCst) + 1;
        assert_eq!(alive, 1, "two for one key");
        census.unfreed.fetch_add(1, SeqCst);
        Self(Arc::new(Life { key, census }))
    }
}

impl Evictable for Citizen<'_> {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn evicted(&self) {
        assert_eq!(self.0.census.of_key[self.0.key].fetch_sub(1, SeqCst), 1);
    }
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.census.unfreed.fetch_sub(1, SeqCst);
    }
}

#[test]
fn no_thread_sees_the_value_of_another_key_nor_a_second_value_of_a_key() {
    let census = Census {
        of_key: [const { AtomicI64::new(0) }; KEYS],
        unfreed: AtomicI64::new(0),
    };
    let limits = Limits {
        max_capacity: 16,
        time_to_idle: Duration::from_secs(1),
    };
    let map: BoundedMap<usize, Citizen<'_>, RandomState> = BoundedMap::new(limits);
    let clock = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (map, clock, census) = (&map, &clock, &census);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                let mut held = Vec::new();
                for _ in 0..STEPS {
                    let now = at(clock.fetch_add(1, SeqCst));
                    let key = random.usize(..KEYS);
                    if let Some(found) = map.read(&key, now, |one| Some(one.0.key)) {
                        assert_eq!(found, key);
                    }
                    if random.u8(..) < 64 {
                        let one = map.handle(&key, now, || Citizen::born(key, census));
                        assert_eq!(one.0.key, key);
                        held.push(one);
                    }
                    if held.len() > random.usize(..6) {
                        let one = held.swap_remove(random.usize(..held.len()));
                        assert_eq!(census.of_key[one.0.key].load(SeqCst), 1, "it left");
                    }
                }
            });
        }
    });
    let held = usize::try_from(THREADS).unwrap() * 6;
    assert!(
        map.len() <= 16 + held + map.limits.eviction_batch(),
        "{}",
        map.len()
    );
    drop(map);
    assert_eq!(census.unfreed.load(SeqCst), 0, "memory was lost");
}
