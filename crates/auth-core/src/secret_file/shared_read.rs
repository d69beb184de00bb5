//! One blocking read at a time, shared by all callers that need its outcome.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// The maximum number of reads in flight in the process. A mount that hangs may hold the files of many
/// clients.
const MAX_READS: usize = 64;

/// The reads that may still begin.
static READS: Semaphore = Semaphore::const_new(MAX_READS);

/// The outcome of a read, as its callers receive it. `None` until it has finished.
type Receiver<T> = watch::Receiver<Option<T>>;

/// Runs a blocking read on a thread of its own.
///
/// Not in the pool of the runtime: a read that hangs would take one of the pool's threads from the
/// resolver of host names, and keep a runtime from shutting down.
pub(crate) struct SharedRead<T> {
    in_flight: Arc<Mutex<Option<Receiver<T>>>>,
    reads: &'static Semaphore,
}

impl<T> fmt::Debug for SharedRead<T> {
    /// Shows nothing: the outcome is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRead").finish_non_exhaustive()
    }
}

impl<T> Default for SharedRead<T> {
    fn default() -> Self {
        Self {
            in_flight: Arc::default(),
            reads: &READS,
        }
    }
}

impl<T: Clone + Send + Sync + 'static> SharedRead<T> {
    /// Returns the outcome of the read in flight, or else starts `read`, as soon as fewer than
    /// [`MAX_READS`] are in flight. Dropping the future stops no read.
    ///
    /// # Errors
    /// If the thread cannot be started, or `read` panicked.
    pub(crate) async fn join(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, io::Error> {
        let in_flight = unfinished(&lock(&self.in_flight));
        let mut receiver = match in_flight {
            Some(receiver) => receiver,
            None => {
                let permit = self.reads.acquire().await.map_err(io::Error::other)?;
                self.receiver(permit, read)?
            }
        };
        let outcome = receiver.wait_for(Option::is_some).await;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        outcome.ok_or_else(|| io::Error::other("the read panicked"))
    }

    fn receiver(
        &self,
        permit: SemaphorePermit<'static>,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Receiver<T>, io::Error> {
        let mut in_flight = lock(&self.in_flight);
        if let Some(receiver) = unfinished(&in_flight) {
            return Ok(receiver);
        }
        let (sender, receiver) = watch::channel(None);
        let shared = Arc::clone(&self.in_flight);
        thread::Builder::new()
            .name("auth-core-secret".into())
            .spawn(move || {
                let _permit = permit;
                let outcome = read();
                // the outcome is kept for those alone who wait for it
                lock(&shared).take();
                sender.send_replace(Some(outcome));
            })?;
        *in_flight = Some(receiver.clone());
        Ok(receiver)
    }
}

fn lock<T>(in_flight: &Mutex<Option<Receiver<T>>>) -> MutexGuard<'_, Option<Receiver<T>>> {
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the read if it is in flight: it has neither returned nor panicked.
fn unfinished<T>(in_flight: &Option<Receiver<T>>) -> Option<Receiver<T>> {
    let receiver = in_flight.as_ref()?;
    let is_unfinished = receiver.borrow().is_none() && receiver.has_changed().is_ok();
    is_unfinished.then(|| receiver.clone())
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering::SeqCst},
            mpsc,
        },
        time::Duration,
    };

    use futures_util::future::join_all;
    use tokio::time::timeout;
    use tokio_test::{assert_pending, task::spawn};

    use super::*;

    /// A read that hangs until the sender is dropped.
    fn hanging(started: &Arc<AtomicUsize>) -> (mpsc::Sender<()>, impl FnOnce() -> usize + use<>) {
        let (release, released) = mpsc::channel();
        let started = Arc::clone(started);
        let read = move || {
            let number = started.fetch_add(1, SeqCst) + 1;
            let _ = released.recv();
            number
        };
        (release, read)
    }

    #[tokio::test]
    async fn a_read_that_hangs_holds_one_thread_and_each_caller_times_out() {
        let (shared, started) = (SharedRead::default(), Arc::new(AtomicUsize::new(0)));
        let (release, read) = hanging(&started);
        let mut first = spawn(shared.join(read));
        assert_pending!(first.poll());
        for _ in 0..600 {
            let (unused, further) = hanging(&started);
            drop(unused);
            let caller = timeout(Duration::ZERO, shared.join(further));
            assert!(caller.await.is_err(), "a second read was started");
        }
        drop(release);
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(started.load(SeqCst), 1);
        // the next caller starts a new read
        let (release, read) = hanging(&started);
        drop(release);
        assert_eq!(shared.join(read).await.unwrap(), 2);
    }

    /// As of the files of many tenants on one mount.
    #[tokio::test]
    async fn reads_of_many_files_that_hang_hold_a_bounded_number_of_threads() {
        static READS: Semaphore = Semaphore::const_new(3);
        let file = || SharedRead {
            in_flight: Arc::default(),
            reads: &READS,
        };
        let files: Vec<SharedRead<usize>> = (0..600).map(|_| file()).collect();
        let started = Arc::new(AtomicUsize::new(0));
        let (releases, reads): (Vec<_>, Vec<_>) = (0..600).map(|_| hanging(&started)).unzip();
        for (file, read) in files.iter().zip(reads) {
            let caller = timeout(Duration::ZERO, file.join(read));
            assert!(caller.await.is_err());
        }
        assert_eq!(READS.available_permits(), 0);
        let begun = files.iter().filter(|file| lock(&file.in_flight).is_some());
        assert_eq!(begun.count(), 3);
        // a read that ends lets the next one begin
        let mut next = spawn(files[599].join(|| 7));
        assert_pending!(next.poll());
        drop(releases);
        assert_eq!(next.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn callers_at_once_share_one_read() {
        let (shared, started) = (SharedRead::default(), Arc::new(AtomicUsize::new(0)));
        let (releases, reads): (Vec<_>, Vec<_>) = (0..50).map(|_| hanging(&started)).unzip();
        let mut callers = spawn(join_all(reads.into_iter().map(|read| shared.join(read))));
        assert_pending!(callers.poll());
        drop(releases);
        for outcome in callers.await {
            assert_eq!(outcome.unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn a_dropped_caller_stops_no_read() {
        let (shared, started) = (SharedRead::default(), Arc::new(AtomicUsize::new(0)));
        let (release, read) = hanging(&started);
        let mut dropped = spawn(shared.join(read));
        assert_pending!(dropped.poll());
        drop(dropped);
        let mut waiting = spawn(shared.join(|| 7));
        assert_pending!(waiting.poll());
        drop(release);
        assert_eq!(waiting.await.unwrap(), 1);
    }

    /// A thread of the runtime's pool would be missing for the resolver of host names.
    #[test]
    fn a_read_starts_no_thread_of_the_runtime() {
        let threads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&threads);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_start(move || {
                counted.fetch_add(1, SeqCst);
            })
            .build()
            .unwrap();
        let (shared, started) = (SharedRead::default(), Arc::new(AtomicUsize::new(0)));
        runtime.block_on(async {
            let (release, read) = hanging(&started);
            let mut caller = spawn(shared.join(read));
            assert_pending!(caller.poll());
            drop(release);
            assert_eq!(caller.await.unwrap(), 1);
        });
        // waits for the threads of the pool
        drop(runtime);
        assert_eq!(threads.load(SeqCst), 0);
    }

    #[tokio::test]
    async fn a_panic_of_the_read_is_an_error_and_the_next_read_starts() {
        let shared = SharedRead::<usize>::default();
        let panicking = shared.join(|| panic!("of the read"));
        assert!(panicking.await.is_err());
        assert_eq!(shared.join(|| 7).await.unwrap(), 7);
    }
}
