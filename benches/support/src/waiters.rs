//! Ten thousand tasks that wait for one event, and when the last of them has run.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join};
use tokio::{runtime::Builder, sync::Notify};

/// Tells when everybody waits, holds the event back until then, and times what follows it.
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

    /// Waits until everybody waits; the clock runs from when this returns.
    pub async fn hold(&self) {
        self.release.notified().await;
        self.arrived.set(Instant::now()).expect("one event");
    }

    /// One who waits has been polled: whatever it waits for knows of it.
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

/// How long it takes from the event until the last of `count` tasks has run, in a runtime with two
/// workers. `event` sees to it that a task
/// [`hold`](Waiters::hold)s the event back, and returns what makes a waiter's future.
pub fn last_of<W, M>(count: usize, event: impl FnOnce(Arc<Waiters>) -> M) -> Duration
where
    M: Fn() -> W,
    W: Future<Output: Send> + Send + 'static,
{
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let all = Waiters::new(count);
    runtime.block_on(async {
        let make = event(Arc::clone(&all));
        for _ in 0..count {
            let (waits, ran) = (Arc::clone(&all).waits(), Arc::clone(&all));
            // an async block would keep the future twice, and the larger one would pay for it
            tokio::spawn(join(make(), waits).map(move |_| ran.ran()));
        }
        all.all_wait.notified().await;
        all.release.notify_one();
        all.all_done.notified().await;
    });
    let instant = |instant: &OnceLock<Instant>| *instant.get().expect("it is over");
    instant(&all.last_ran) - instant(&all.arrived)
}
