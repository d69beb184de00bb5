//! The same work on several threads that run at the same time.
//!
//! Each thread runs on a processor of its own, where there is one for each. A batch is counted only while
//! all threads work: each thread works from before its counted batch until all threads have begun, and
//! after it until all have finished theirs. Where threads share processors, the system runs them in turn,
//! and a batch must span many turns: see [`shortest_batch`].

use std::{
    hint::{black_box, spin_loop},
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{AcqRel, Acquire},
        },
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::processors::Places;

/// A processor passes from thread to thread after a few milliseconds. A batch of this length spans many
/// such turns.
const MANY_TURNS: Duration = Duration::from_millis(150);

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
    let gate = Gate::new(places.threads());
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
    working: Padded<AtomicUsize>,
    finished: Padded<AtomicUsize>,
}

impl Gate {
    fn new(threads: usize) -> Self {
        Self {
            threads,
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
        let on_processor = time_on_processor();
        let started = Instant::now();
        repeat(times, work);
        let elapsed = started.elapsed();
        let on_processor = time_on_processor().saturating_sub(on_processor);
        self.finished.0.fetch_add(1, AcqRel);
        while !all(&self.finished) {
            repeat(64, work);
        }
        Batch {
            elapsed,
            on_processor,
        }
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
        Self {
            threads: (0..threads).map(start).collect(),
        }
    }

    /// Runs a batch on each thread. Returns the average time of a thread.
    pub fn batch(&self, times: u64) -> Duration {
        let gate = Arc::new(Gate::new(self.threads.len()));
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
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;

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
