//! The same work on several threads at the same time.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// Runs the function that `work` makes, `times` times on each of `threads` threads that start together.
/// Returns the average time of a thread.
pub fn on_threads<T, F: FnMut() -> T>(
    threads: usize,
    times: u64,
    work: impl Fn(usize) -> F + Sync,
) -> Duration {
    let start = Barrier::new(threads);
    let run = |thread| {
        let mut work = work(thread);
        // each thread makes its copy and fills its caches before the measured time begins
        for _ in 0..64 {
            work();
        }
        start.wait();
        let started = Instant::now();
        for _ in 0..times {
            work();
        }
        started.elapsed()
    };
    let total: Duration = thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let run = &run;
                    move || run(thread)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    total / u32::try_from(threads).unwrap()
}
