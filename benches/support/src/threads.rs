//! The same work on several threads that run at the same time.
//!
//! Each thread is pinned to a processor of its own, and starts behind a barrier at which the threads
//! spin. A thread that has finished its batch works on, uncounted, until all threads have finished. A
//! batch counts only if no thread was interrupted meanwhile: if each used its processor for as long as
//! its batch took. Otherwise all threads run another batch.
//!
//! Without this a batch that is shorter than a time slice measures no contention. The system may run
//! the threads in turn, on one processor.
//!
//! More threads than processors cannot run at the same time. They are not pinned, and their batches
//! have to take many time slices.

use std::{
    hint::{black_box, spin_loop},
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    time::{Duration, Instant},
};

use crate::processors::{pin, processors};

/// The first calls are not counted. They make a thread's copy of a token, and fill the processor's
/// caches.
const WARM_UP: usize = 1_000;
/// After this many batches that were interrupted, the last one counts nevertheless. The machine is busy.
const MAX_BATCHES: usize = 10;
/// A thread that waits longer than its batch by more than this part of it was interrupted.
const INTERRUPTED: f64 = 0.02;

/// Runs the function that `work` makes, `times` times on each of `threads` threads. Returns the average
/// time of a thread.
pub fn on_threads<T, F: FnMut() -> T>(
    threads: usize,
    times: u64,
    work: impl Fn(usize) -> F + Sync,
) -> Duration {
    let own = processors().get(..threads).unwrap_or_default();
    on_processors(own, threads, times, work)
}

/// Like [`on_threads`], with the processors of the threads: one for each, or none if the threads are
/// not pinned.
pub fn on_processors<T, F: FnMut() -> T>(
    processors: &[usize],
    threads: usize,
    times: u64,
    work: impl Fn(usize) -> F + Sync,
) -> Duration {
    let (together, finished) = (Together::new(threads), AtomicUsize::new(0));
    let interrupted = AtomicBool::new(false);
    let total = Mutex::new(Duration::ZERO);
    let run = |thread: usize| {
        let pinned = processors.get(thread).is_some_and(|&one| pin(one));
        let mut work = work(thread);
        for _ in 0..WARM_UP {
            black_box(&work());
        }
        for batch in 1..=MAX_BATCHES {
            together.wait();
            let (started, used) = (Instant::now(), processor_time());
            for _ in 0..times {
                black_box(&work());
            }
            let (took, used) = (started.elapsed(), processor_time() - used);
            if took.as_secs_f64() > used.as_secs_f64() * (1.0 + INTERRUPTED) {
                interrupted.store(true, SeqCst);
            }
            finished.fetch_add(1, SeqCst);
            while pinned && finished.load(Relaxed) < batch * threads {
                black_box(&work());
            }
            together.wait();
            let again = pinned && batch < MAX_BATCHES && interrupted.load(SeqCst);
            together.wait();
            interrupted.store(false, SeqCst);
            if !again {
                *total.lock().unwrap_or_else(PoisonError::into_inner) += took;
                return;
            }
        }
    };
    // threads of their own, so that the calling thread is not pinned
    thread::scope(|scope| {
        for thread in 0..threads {
            let run = &run;
            scope.spawn(move || run(thread));
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total / u32::try_from(threads).unwrap()
}

/// A barrier at which the threads spin, so that they leave it at the same time.
struct Together {
    threads: usize,
    arrived: AtomicUsize,
}

impl Together {
    fn new(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
        }
    }

    fn wait(&self) {
        let before = self.arrived.fetch_add(1, SeqCst);
        let all = (before / self.threads + 1) * self.threads;
        let mut spins = 0_u32;
        while self.arrived.load(SeqCst) < all {
            spins += 1;
            // the other threads may need this processor
            match spins.is_multiple_of(10_000) {
                true => thread::yield_now(),
                false => spin_loop(),
            }
        }
    }
}

/// Returns how long the calling thread has used a processor.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Not known here: no batch is regarded as interrupted.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    Duration::MAX
}
