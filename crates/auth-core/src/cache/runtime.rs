//! Spawns the refresh task: in the tokio runtime of the caller that starts the fetch.

use std::future::Future;

use crate::{Error, ErrorKind};

pub(super) use implementation::Task;
#[cfg(auth_loom)]
pub use implementation::block_on;
use implementation::{Handle, spawn};

/// A runtime to spawn tasks in.
pub(super) struct Runtime(Handle);

impl Runtime {
    /// Returns the runtime that the caller runs in.
    pub(super) fn current() -> Result<Self, Error> {
        Handle::try_current().map(Self).map_err(|outside| {
            Error::new(
                ErrorKind::NoRuntime,
                "a token can only be requested within a tokio runtime, got a call outside; call this from a \
                 task of a tokio runtime",
            )
            .with_source(outside)
        })
    }

    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        spawn(&self.0, future)
    }
}

#[cfg(not(auth_loom))]
mod implementation {
    use std::future::Future;

    pub(super) use tokio::runtime::Handle;
    use tokio::task::AbortHandle;

    /// A handle to a task. Dropping the handle does not stop the task.
    #[derive(Debug)]
    pub(in crate::cache) struct Task(AbortHandle);

    impl Task {
        /// Stops the task at its next await.
        pub(in crate::cache) fn abort(self) {
            self.0.abort();
        }
    }

    pub(super) fn spawn(
        runtime: &Handle,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        Task(runtime.spawn(future).abort_handle())
    }
}

/// Under loom each task is one of loom's threads.
#[cfg(auth_loom)]
mod implementation {
    use std::{
        convert::Infallible,
        future::{Future, poll_fn},
        pin::{Pin, pin},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::SeqCst},
        },
        task::{Context, Poll, Wake},
    };

    use loom::thread::{self, Thread};
    use tokio::sync::oneshot;

    pub(super) struct Handle;

    impl Handle {
        pub(super) fn try_current() -> Result<Self, Infallible> {
            Ok(Self)
        }
    }

    pub(super) fn spawn(
        _runtime: &Handle,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        let (abort, aborted) = oneshot::channel();
        thread::spawn(move || {
            let mut aborted = Some(aborted);
            let mut future = pin!(future);
            block_on(poll_fn(move |cx| {
                match aborted.as_mut().map(|aborted| Pin::new(aborted).poll(cx)) {
                    Some(Poll::Ready(Ok(()))) => return Poll::Ready(()),
                    // the handle was dropped, so that this task cannot be aborted any more
                    Some(Poll::Ready(Err(_))) => aborted = None,
                    Some(Poll::Pending) | None => {}
                }
                future.as_mut().poll(cx)
            }));
        });
        Task(abort)
    }

    #[derive(Debug)]
    pub(in crate::cache) struct Task(oneshot::Sender<()>);

    impl Task {
        pub(in crate::cache) fn abort(self) {
            // the task may have ended
            let _ = self.0.send(());
        }
    }

    /// Runs a future on this thread, which parks while the future is pending.
    ///
    /// loom's own `block_on` creates wakers that loom tracks, and tokio clones them under a lock
    /// that loom does not track.
    pub fn block_on<T>(future: impl Future<Output = T>) -> T {
        struct Sleeper {
            woken: AtomicBool,
            thread: Thread,
        }

        impl Wake for Sleeper {
            fn wake(self: Arc<Self>) {
                self.woken.store(true, SeqCst);
                self.thread.unpark();
            }
        }

        let sleeper = Arc::new(Sleeper {
            woken: AtomicBool::new(false),
            thread: thread::current(),
        });
        let waker = sleeper.clone().into();
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return outcome;
            }
            while !sleeper.woken.swap(false, SeqCst) {
                thread::park();
            }
        }
    }
}
