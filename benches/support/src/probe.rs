//! Whether threads run at the same time on this machine: known contention must be seen.
//!
//! Threads that count in one counter pass its cache line back and forth, if they run at the same time.
//! Threads with a counter each do not. If both take about as long, the threads ran in turn, and no bench
//! here can measure contention.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{concurrency::Concurrency, processors::processors, threads::on_processors};

const COUNTS: u64 = 1_000_000;
const ROUNDS: usize = 5;

/// A counter on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Counter(AtomicU64);

/// Measures `threads` threads, or as many as there are processors.
pub fn probe(threads: usize) -> Concurrency {
    let threads = threads.min(processors().len().max(1));
    probe_on(
        processors().get(..threads).unwrap_or_default(),
        threads,
        COUNTS,
    )
}

/// Measures threads that are pinned to these processors.
fn probe_on(processors: &[usize], threads: usize, counts: u64) -> Concurrency {
    let counters: Vec<Counter> = (0..threads).map(|_| Counter::default()).collect();
    let time = |of_thread: fn(usize) -> usize| {
        let took = on_processors(processors, threads, counts, |thread| {
            let counter = &counters[of_thread(thread)].0;
            move || counter.fetch_add(1, Relaxed)
        });
        took.as_secs_f64() * 1e9 / counts as f64
    };
    let round = |_| (time(|thread| thread), time(|_| 0));
    let mut rounds: Vec<_> = (0..ROUNDS).map(round).collect();
    // the median round, so that neither an interruption nor a lucky round decides
    rounds.sort_by(|one, other| (one.1 / one.0).total_cmp(&(other.1 / other.0)));
    let (own, shared) = rounds[ROUNDS / 2];
    Concurrency {
        threads,
        own,
        shared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The processors of two threads, or `None` with a line on stderr where there are not two.
    fn two() -> Option<[usize; 2]> {
        let two = processors().first_chunk().copied();
        if two.is_none() {
            eprintln!("SKIPPED: the harness needs two processors to show that it sees contention");
        }
        two
    }

    /// Other tests may use the processors meanwhile, so that one of many probes is enough.
    #[test]
    fn known_contention_is_seen_on_two_processors_and_not_on_one() {
        let Some([one, other]) = two() else { return };
        let probe_on = |processors: &[usize]| probe_on(processors, 2, 100_000);
        let mut probes = (0..100).map(|_| probe_on(&[one, other]));
        assert!(
            probes.any(|probe| probe.is_seen()),
            "two threads on two processors never ran at the same time"
        );
        // whatever else runs, two threads on one processor never run at the same time
        for _ in 0..3 {
            let on_one = probe_on(&[one, one]);
            assert!(!on_one.is_seen(), "{on_one}");
        }
    }
}
