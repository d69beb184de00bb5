//! Shows whether threads run at the same time, and meet.
//!
//! Each thread increments a counter: one of its own, or one for all. The processors pass the cache line
//! of the common counter back and forth, so that an increment takes several times as long, if they run at
//! the same time. If the threads run in turn on one processor, both counters take the same time, and no
//! figure that was measured on these threads shows contention.
//!
//! The times are those for which a thread had a processor. Other programs that take turns with the
//! threads therefore do not lengthen them.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::{
    processors::{Places, count},
    threads::{self, Batch, Padded},
};

/// The common counter takes at least this many times as long as counters of their own.
pub const LEAST_RATIO: f64 = 2.0;
/// More than two threads have a processor for at least this part of the time. The common counter alone
/// would not show that some of them run in turn.
pub const LEAST_RUNNING: f64 = 0.75;

const ROUNDS: usize = 9;
/// A batch takes a millisecond or a few.
const INCREMENTS: u64 = 1_000_000;
/// Where threads are not pinned, a batch takes as long as many turns of the threads.
const INCREMENTS_IN_MANY_TURNS: u64 = 60_000_000;

/// The result of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub threads: usize,
    pub pinned: bool,
    /// The time of an increment of a thread's own counter, in nanoseconds.
    pub own: f64,
    /// The time of an increment of the common counter, in nanoseconds.
    pub shared: f64,
    /// `shared` over `own`, within a round.
    pub ratio: f64,
    /// The part of the time for which the threads had a processor.
    pub running: f64,
}

impl Probe {
    /// Probes this many threads, or as many as there are processors if these are fewer.
    pub fn of(threads: usize) -> Self {
        Self::at(&Places::of(threads.min(count())))
    }

    pub fn at(places: &Places) -> Self {
        let increments = if places.are_pinned() {
            INCREMENTS
        } else {
            INCREMENTS_IN_MANY_TURNS
        };
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| counters(places, increments / places.threads() as u64))
            .collect();
        let median = |of: fn(&Round) -> f64| {
            let mut values: Vec<_> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[ROUNDS / 2]
        };
        Self {
            threads: places.threads(),
            pinned: places.are_pinned(),
            own: median(|round| round.own),
            shared: median(|round| round.shared),
            ratio: median(Round::ratio),
            running: median(|round| round.running),
        }
    }

    /// Returns why figures on these threads show no contention. `None` if the threads run at the same
    /// time.
    pub fn void(&self) -> Option<String> {
        let Self {
            threads,
            ratio,
            running,
            ..
        } = self;
        if *threads < 2 {
            return Some("the process may use one processor only".to_owned());
        }
        if *ratio < LEAST_RATIO {
            return Some(format!(
                "the threads did not run at the same time: a counter for all takes {ratio:.1} times as \
                 long as counters of their own, at least {LEAST_RATIO:.1} is needed"
            ));
        }
        if *threads > 2 && *running < LEAST_RUNNING {
            return Some(format!(
                "the threads had processors for {:.0} % of the time, at least {:.0} % is needed",
                running * 100.0,
                LEAST_RUNNING * 100.0,
            ));
        }
        None
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            threads,
            pinned,
            own,
            shared,
            ratio,
            running,
        } = self;
        let threads = match threads {
            1 => "1 thread".to_owned(),
            more => format!("{more} threads"),
        };
        let placed = if *pinned { "pinned" } else { "not pinned" };
        write!(
            f,
            "{threads} ({placed}, on a processor {:.0} % of the time): an increment of an own counter \
             takes {own:.1} ns, of one for all {shared:.1} ns, ratio {ratio:.2}",
            running * 100.0,
        )
    }
}

/// The times of one round, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Round {
    own: f64,
    shared: f64,
    running: f64,
}

impl Round {
    fn new(times: u64, own: Batch, shared: Batch) -> Self {
        let each = |batch: Batch| batch.on_processor.as_secs_f64() * 1e9 / times as f64;
        Self {
            own: each(own),
            shared: each(shared),
            // the two clocks are not read at the same moment
            running: (own.on_processor.as_secs_f64() / own.elapsed.as_secs_f64()).min(1.0),
        }
    }

    fn ratio(&self) -> f64 {
        self.shared / self.own
    }
}

fn counters(places: &Places, times: u64) -> Round {
    let counters: Vec<_> = (0..places.threads())
        .map(|_| Padded(AtomicU64::new(0)))
        .collect();
    let increment = |counter: usize| {
        let Padded(counter) = &counters[counter];
        move || counter.fetch_add(1, Relaxed)
    };
    let own = threads::at(places, times, increment);
    let shared = threads::at(places, times, |_| increment(0));
    Round::new(times, own, shared)
}

#[cfg(test)]
mod tests;
