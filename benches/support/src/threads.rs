//! The same work on several threads that run at the same time.
//!
//! Each thread runs on a processor of its own, where there is one for each. A batch is counted only while
//! all threads work: each thread works from before its counted batch until all threads have begun, and
//! after it until all have finished theirs. Where threads share processors, the system runs them in turn,
//! and a batch must span many turns: see [`shortest_batch`].
//!
//! A batch runs in parts. A part during which the thread did not have its core to itself is not counted and
//! runs again: see `whole_core`. How long the part took does not matter for that.

use std::{
    hint::{black_box, spin_loop},
    sync::{
        Arc,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{processors::Places, whole_core};

/// A processor passes from thread to thread after a few milliseconds. A batch of this length spans many
/// such turns.
const MANY_TURNS: Duration = Duration::from_millis(150);

/// The number of parts of a batch.
const PARTS: u64 = 20;
/// The number of parts of a batch that may run again. Further ones count as they are.
const REPETITIONS: u64 = 20 * PARTS;

/// The parts of all batches of this process.
static ALL_PARTS: Parts = Parts::new();

/// Numbers of parts.
#[derive(Debug)]
struct Parts {
    counted: AtomicU64,
    /// Those that ran again, because a thread did not have its core to itself.
    repeated: AtomicU64,
    /// Those that count although a thread did not have its core to itself.
    disturbed: AtomicU64,
}

impl Parts {
    const fn new() -> Self {
        Self {
            counted: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            disturbed: AtomicU64::new(0),
        }
    }

    fn describe(&self) -> String {
        let [counted, repeated, disturbed] =
            [&self.counted, &self.repeated, &self.disturbed].map(|count| count.load(Relaxed));
        format!(
            "{counted} parts of batches count; {repeated} were repeated, because a thread did not have its core \
             to itself; {disturbed} count although it did not"
        )
    }
}

/// Returns how many parts of batches were repeated in this process, as a sentence.
pub fn describe_parts() -> String {
    ALL_PARTS.describe()
}

/// Returns how many parts of batches count although a thread did not have its core to itself.
pub fn disturbed_parts() -> u64 {
    ALL_PARTS.disturbed.load(Relaxed)
}

/// Returns how many parts of batches count in this process.
pub fn counted_parts() -> u64 {
    ALL_PARTS.counted.load(Relaxed)
}

/// Adds parts of batches of another process: those that count, and how many of them count although a thread did
/// not have its core to itself.
pub fn add_parts(counted: u64, disturbed: u64) {
    ALL_PARTS.counted.fetch_add(counted, Relaxed);
    ALL_PARTS.disturbed.fetch_add(disturbed, Relaxed);
}

/// A value on cache lines of its own. Processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

/// The time of a batch, as the average of its threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch {
    pub elapsed: Duration,
    /// The time for which the thread had a processor.
    pub on_processor: Duration,
}

/// Returns the time that a batch on this many threads must take at least. It is zero if each thread has a
/// processor of its own.
pub fn shortest_batch(threads: usize) -> Duration {
    match Places::of(threads) {
        Places::Pinned(_) => Duration::ZERO,
        Places::Unpinned { .. } => MANY_TURNS,
    }
}

/// Returns why the system places this many threads. `None` if each has a processor of its own.
pub fn why_not_pinned(threads: usize) -> Option<String> {
    match Places::of(threads) {
        Places::Pinned(_) => None,
        Places::Unpinned { why, .. } => Some(why),
    }
}

/// Runs the function that `work` makes, `times` times on each of `threads` threads at the same time.
/// Returns the average time of a thread.
pub fn on_threads<T, F: FnMut() -> T>(
    threads: usize,
    times: u64,
    work: impl Fn(usize) -> F + Sync,
) -> Duration {
    at(&Places::of(threads), times, work).elapsed
}

/// The same at these places.
pub fn at<T, F: FnMut() -> T>(
    places: &Places,
    times: u64,
    work: impl Fn(usize) -> F + Sync,
) -> Batch {
    let gate = Gate::new(places);
    let run = |thread| {
        places.enter(thread);
        gate.batch(times, &mut work(thread))
    };
    let batches = thread::scope(|scope| {
        let all: Vec<_> = (0..places.threads())
            .map(|thread| {
                scope.spawn({
                    let run = &run;
                    move || run(thread)
                })
            })
            .collect();
        let batches = all.into_iter().map(|one| one.join().unwrap());
        batches.collect::<Vec<_>>()
    });
    average(&batches)
}

fn average(batches: &[Batch]) -> Batch {
    let threads = u32::try_from(batches.len()).unwrap();
    Batch {
        elapsed: batches.iter().map(|one| one.elapsed).sum::<Duration>() / threads,
        on_processor: batches.iter().map(|one| one.on_processor).sum::<Duration>() / threads,
    }
}

/// Lets the threads of a batch begin together and end together.
#[derive(Debug)]
struct Gate {
    threads: usize,
    /// Threads without a processor of their own never have a core to themselves.
    are_pinned: bool,
    working: Padded<AtomicUsize>,
    finished: Padded<AtomicUsize>,
}

impl Gate {
    fn new(places: &Places) -> Self {
        Self {
            threads: places.threads(),
            are_pinned: places.are_pinned(),
            working: Padded::default(),
            finished: Padded::default(),
        }
    }

    fn batch<T>(&self, times: u64, work: &mut impl FnMut() -> T) -> Batch {
        let all = |count: &Padded<AtomicUsize>| count.0.load(Acquire) >= self.threads;
        // the thread makes its copy and fills its caches
        repeat(64.max(times / 50), work);
        self.working.0.fetch_add(1, AcqRel);
        while !all(&self.working) {
            repeat(8, work);
        }
        let batch = in_parts(
            times,
            || !self.are_pinned || whole_core::is_whole(),
            &ALL_PARTS,
            |times| timed(times, work),
        );
        self.finished.0.fetch_add(1, AcqRel);
        while !all(&self.finished) {
            repeat(64, work);
        }
        batch
    }
}

/// Runs parts until `times` repetitions count. `has_core` says whether the thread has its core to itself at
/// this moment.
fn in_parts(
    times: u64,
    mut has_core: impl FnMut() -> bool,
    all: &Parts,
    mut part: impl FnMut(u64) -> Batch,
) -> Batch {
    let (mut batch, mut left, mut repetitions) = (Batch::default(), times, 0);
    let mut had_core = has_core();
    while left > 0 {
        let now = times.div_ceil(PARTS).min(left);
        let ran = part(now);
        let has_core = has_core();
        let is_disturbed = !(had_core && has_core);
        had_core = has_core;
        if is_disturbed && repetitions < REPETITIONS {
            repetitions += 1;
            continue;
        }
        left -= now;
        batch.elapsed += ran.elapsed;
        batch.on_processor += ran.on_processor;
        all.counted.fetch_add(1, Relaxed);
        all.disturbed.fetch_add(is_disturbed.into(), Relaxed);
    }
    all.repeated.fetch_add(repetitions, Relaxed);
    batch
}

fn timed<T>(times: u64, work: &mut impl FnMut() -> T) -> Batch {
    let on_processor = time_on_processor();
    let started = Instant::now();
    repeat(times, work);
    let elapsed = started.elapsed();
    Batch {
        elapsed,
        on_processor: time_on_processor().saturating_sub(on_processor),
    }
}

/// The counted work and the work around it are the same code.
#[inline(never)]
fn repeat<T>(times: u64, work: &mut impl FnMut() -> T) {
    for _ in 0..times {
        // the result stays where it is: a copy would be measured too
        black_box(&work());
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn time_on_processor() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime).try_into();
    time.expect("not negative")
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn time_on_processor() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Threads that keep what they work on from one batch to the next.
#[derive(Debug)]
pub struct LongLived {
    places: Arc<Places>,
    threads: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    orders: Sender<Order>,
    batches: Receiver<Batch>,
    thread: JoinHandle<()>,
}

/// A number of repetitions, and the gate of their batch.
type Order = (u64, Arc<Gate>);

impl LongLived {
    /// Starts threads that wait for their first batch.
    pub fn new<T, F: FnMut() -> T>(
        threads: usize,
        work: impl Fn(usize) -> F + Send + Sync + 'static,
    ) -> Self {
        let places = Arc::new(Places::of(threads));
        let work = Arc::new(work);
        let start = |thread| {
            let (orders, ordered) = mpsc::channel::<Order>();
            let (done, batches) = mpsc::channel();
            let (places, work) = (Arc::clone(&places), Arc::clone(&work));
            let run = move || {
                places.enter(thread);
                let mut work = work(thread);
                for (times, gate) in ordered {
                    done.send(gate.batch(times, &mut work)).unwrap();
                }
            };
            Worker {
                orders,
                batches,
                thread: thread::spawn(run),
            }
        };
        let workers = (0..threads).map(start).collect();
        Self {
            threads: workers,
            places,
        }
    }

    /// Runs a batch on each thread. Returns the average time of a thread.
    pub fn batch(&self, times: u64) -> Duration {
        let gate = Arc::new(Gate::new(&self.places));
        for worker in &self.threads {
            worker.orders.send((times, Arc::clone(&gate))).unwrap();
        }
        let batches = self.threads.iter().map(|one| one.batches.recv().unwrap());
        average(&batches.collect::<Vec<_>>()).elapsed
    }

    /// Ends the threads.
    pub fn end(self) {
        for worker in self.threads {
            drop(worker.orders);
            worker.thread.join().unwrap();
        }
    }
}

/// Returns a runtime whose workers each run on a processor of their own, where there is one for each.
#[cfg(feature = "bench")]
pub fn runtime(workers: usize) -> tokio::runtime::Runtime {
    let places = Places::of(workers);
    let started = AtomicUsize::new(0);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .on_thread_start(move || {
            // the workers are the first threads; others run blocking work
            let thread = started.fetch_add(1, AcqRel);
            if thread < workers {
                places.enter(thread);
            }
        })
        .enable_all()
        .build()
        .unwrap()
}

/// Waits for this time without leaving the processor.
pub fn spin(time: Duration) {
    let started = Instant::now();
    while started.elapsed() <= time {
        spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Runs 100 repetitions of a second each. The numbers of the moments at which the thread does not have its
    /// core are `shared`. Returns the counted time and the number of repetitions that ran.
    fn with_a_shared_core(shared: impl Fn(u64) -> bool, all: &Parts) -> (Duration, u64) {
        let (mut moment, mut ran) = (0, 0);
        let has_core = || {
            moment += 1;
            !shared(moment)
        };
        let batch = in_parts(100, has_core, all, |times| {
            ran += times;
            Batch {
                elapsed: SECOND * u32::try_from(times).unwrap(),
                on_processor: Duration::ZERO,
            }
        });
        (batch.elapsed, ran)
    }

    #[test]
    fn a_part_without_the_whole_core_runs_again() {
        let parts = Parts::new();
        assert_eq!(with_a_shared_core(|_| false, &parts), (100 * SECOND, 100));
        // between the second and the third part: neither counts
        assert_eq!(
            with_a_shared_core(|one| one == 3, &parts),
            (100 * SECOND, 110)
        );
        assert_eq!(
            parts.describe(),
            "40 parts of batches count; 2 were repeated, because a thread did not have its core to itself; \
             0 count although it did not"
        );
    }

    #[test]
    fn a_core_that_stays_shared_does_not_lengthen_a_batch_without_end() {
        let parts = Parts::new();
        assert_eq!(with_a_shared_core(|_| true, &parts), (100 * SECOND, 2_100));
        assert_eq!(
            parts.describe(),
            "20 parts of batches count; 400 were repeated, because a thread did not have its core to itself; \
             20 count although it did not"
        );
    }

    #[test]
    fn each_thread_works_from_before_its_batch_until_all_batches_are_over() {
        let times = 1_000;
        let done = [const { AtomicU64::new(0) }; 2];
        at(&Places::of(2), times, |thread| {
            let done = &done[thread];
            move || done.fetch_add(1, Relaxed)
        });
        for done in &done {
            // the batch, and the work before it
            assert!(done.load(Relaxed) >= times + 64, "{done:?}");
        }
    }

    #[test]
    fn threads_that_live_long_keep_what_they_work_on() {
        let made = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&made);
        let threads = LongLived::new(2, move |_| {
            count.fetch_add(1, Relaxed);
            || ()
        });
        for _ in 0..3 {
            threads.batch(100);
        }
        threads.end();
        assert_eq!(made.load(Relaxed), 2);
    }
}
