use std::{
    convert::Infallible,
    future::{Ready, ready},
    mem,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;

/// A service that insists on tower's contract: a clone starts out not ready, and a call of one that
/// is not ready panics. It answers with the request itself.
#[derive(Debug)]
pub(crate) struct Strict {
    log: Arc<Mutex<Log>>,
    instance: usize,
    ready: bool,
}

/// What happened to a [`Strict`] and its clones, which are numbered from 0.
#[derive(Debug, Default)]
pub(crate) struct Log {
    instances: usize,
    /// Those that became ready, in order.
    pub(crate) readied: Vec<usize>,
    /// Those that were called, in order.
    pub(crate) called: Vec<usize>,
    /// How many are ready now: each would hold a permit.
    pub(crate) permits: usize,
}

impl Strict {
    pub(crate) fn new() -> (Self, Arc<Mutex<Log>>) {
        let log = Arc::<Mutex<Log>>::default();
        (Self::instance(&log), log)
    }

    fn instance(log: &Arc<Mutex<Log>>) -> Self {
        let instance = log.lock().unwrap().instances;
        log.lock().unwrap().instances += 1;
        Self {
            log: Arc::clone(log),
            instance,
            ready: false,
        }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::instance(&self.log)
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        if self.ready {
            self.log.lock().unwrap().permits -= 1;
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Request<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !mem::replace(&mut self.ready, true) {
            let mut log = self.log.lock().unwrap();
            log.readied.push(self.instance);
            log.permits += 1;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(mem::take(&mut self.ready), "called without being ready");
        let mut log = self.log.lock().unwrap();
        log.called.push(self.instance);
        log.permits -= 1;
        ready(Ok(Response::new(request)))
    }
}
