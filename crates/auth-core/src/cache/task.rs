//! What drives a flight: a task of the runtime that its first caller is in.

use std::future::Future;

use crate::{Error, ErrorKind};

pub(super) use implementation::Task;
use implementation::{Handle, spawn};

/// A runtime that tasks can be spawned in.
pub(super) struct Runtime(Handle);

impl Runtime {
    /// The one that the caller is in.
    pub(super) fn current() -> Result<Self, Error> {
        Handle::try_current().map(Self).map_err(|outside| {
            Error::new(
                ErrorKind::NoRuntime,
                "a token is needed, and there is no tokio runtime to request one in",
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

    /// A task that goes on when this is dropped.
    #[derive(Debug)]
    pub(in crate::cache) struct Task(AbortHandle);

    impl Task {
        /// Ends the task at its next await.
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

/// Each task is a thread of loom's that polls until there is nothing left to do.
#[cfg(auth_loom)]
mod implementation {
    use std::{
        convert::Infallible,
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

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
        let (abort, mut aborted) = oneshot::channel();
        loom::thread::spawn(move || {
            let mut future = pin!(future);
            let mut cx = Context::from_waker(Waker::noop());
            while aborted.try_recv().is_err() && future.as_mut().poll(&mut cx).is_pending() {
                loom::thread::yield_now();
            }
        });
        Task(abort)
    }

    #[derive(Debug)]
    pub(in crate::cache) struct Task(oneshot::Sender<()>);

    impl Task {
        pub(in crate::cache) fn abort(self) {
            // it may be over
            let _ = self.0.send(());
        }
    }
}
