//! Threads that read, request handles and drop them, while values are evicted all the time.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    thread,
};

use super::*;

const THREADS: u64 = 4;
const KEYS: usize = 64;
const STEPS: u64 = 20_000;

/// Counts the values in the map for each key, and the values whose memory is not freed yet.
struct Counts {
    alive: [AtomicI64; KEYS],
    unfreed: AtomicI64,
}

#[derive(Clone)]
struct Counted<'a>(Arc<Value<'a>>);

struct Value<'a> {
    key: usize,
    counts: &'a Counts,
}

impl<'a> Counted<'a> {
    fn new(key: usize, counts: &'a Counts) -> Self {
        let alive = counts.alive[key].fetch_add(1, SeqCst) + 1;
        assert_eq!(alive, 1, "two values for one key");
        counts.unfreed.fetch_add(1, SeqCst);
        Self(Arc::new(Value { key, counts }))
    }
}

impl Evictable for Counted<'_> {
    fn is_in_use(&self, handles: usize) -> bool {
        Arc::strong_count(&self.0) > handles
    }

    fn evicted(&self) {
        assert_eq!(self.0.counts.alive[self.0.key].fetch_sub(1, SeqCst), 1);
    }
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        self.counts.unfreed.fetch_sub(1, SeqCst);
    }
}

#[test]
fn no_thread_sees_the_value_of_another_key_nor_a_second_value_of_a_key() {
    let counts = Counts {
        alive: [const { AtomicI64::new(0) }; KEYS],
        unfreed: AtomicI64::new(0),
    };
    let limits = Limits {
        max_capacity: 16,
        time_to_idle: Duration::from_secs(1),
    };
    let map: BoundedMap<usize, Counted<'_>, RandomState> = BoundedMap::new(limits);
    let clock = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (map, clock, counts) = (&map, &clock, &counts);
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
                        let one = map.handle(&key, now, || Counted::new(key, counts));
                        assert_eq!(one.0.key, key);
                        held.push(one);
                    }
                    if held.len() > random.usize(..6) {
                        let one = held.swap_remove(random.usize(..held.len()));
                        assert_eq!(
                            counts.alive[one.0.key].load(SeqCst),
                            1,
                            "a value in use was evicted"
                        );
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
    assert_eq!(counts.unfreed.load(SeqCst), 0, "memory was leaked");
}
