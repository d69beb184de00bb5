//! Ten thousand tasks that wait for one event, and the time until the last of them has run.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join};
use tokio::sync::Notify;

use crate::threads::runtime;

/// The workers of the runtime in which the tasks wait.
pub const WORKERS: usize = 2;

/// Holds the event back until all waiters wait, and measures the time from then on.
#[derive(Debug)]
pub struct Waiters {
    count: usize,
    waiting: AtomicUsize,
    all_wait: Notify,
    release: Notify,
    arrived: OnceLock<Instant>,
    done: AtomicUsize,
    last_ran: OnceLock<Instant>,
    all_done: Notify,
}

impl Waiters {
    fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            count,
            waiting: AtomicUsize::new(0),
            all_wait: Notify::new(),
            release: Notify::new(),
            arrived: OnceLock::new(),
            done: AtomicUsize::new(0),
            last_ran: OnceLock::new(),
            all_done: Notify::new(),
        })
    }

    /// Completes when all waiters wait. The measured time begins when this returns.
    pub async fn hold(&self) {
        self.release.notified().await;
        self.arrived.set(Instant::now()).expect("one event");
    }

    /// Notes that a waiter has been polled and is registered at the event.
    async fn waits(self: Arc<Self>) {
        assert_eq!(self.arrived.get(), None, "the event came too early");
        if self.waiting.fetch_add(1, SeqCst) + 1 == self.count {
            self.all_wait.notify_one();
        }
    }

    fn ran(&self) {
        if self.done.fetch_add(1, SeqCst) + 1 == self.count {
            self.last_ran.set(Instant::now()).expect("one last waiter");
            self.all_done.notify_one();
        }
    }
}

/// Returns the time from the event until the last of `count` tasks has run, in a runtime of its own. `event` starts a task that [`hold`](Waiters::hold)s the event back, and returns the
/// function that makes a waiter's future.
pub fn last_of<W, M>(count: usize, event: impl FnOnce(Arc<Waiters>) -> M) -> Duration
where
    M: Fn() -> W,
    W: Future<Output: Send> + Send + 'static,
{
    let runtime = runtime(WORKERS);
    let all = Waiters::new(count);
    runtime.block_on(async {
        let make = event(Arc::clone(&all));
        for _ in 0..count {
            let (waits, ran) = (Arc::clone(&all).waits(), Arc::clone(&all));
            // an async block would contain the future twice, and make the task larger
            tokio::spawn(join(make(), waits).map(move |_| ran.ran()));
        }
        all.all_wait.notified().await;
        all.release.notify_one();
        all.all_done.notified().await;
    });
    let instant = |instant: &OnceLock<Instant>| *instant.get().expect("it is over");
    instant(&all.last_ran) - instant(&all.arrived)
}
