use std::{
    convert::Infallible,
    future::{Ready, ready},
    mem,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;

/// A service that checks tower's contract: a clone is not ready, and a call of a service that is not ready
/// panics. The response body is the request.
#[derive(Debug)]
pub struct Strict {
    log: Log,
    instance: usize,
    ready: bool,
}

/// Records the calls of a [`Strict`] and its clones, which are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    instances: usize,
    readied: Vec<usize>,
    called: Vec<usize>,
    permits: usize,
}

impl Log {
    /// Returns the instances that became ready, in order.
    pub fn readied(&self) -> Vec<usize> {
        self.0.lock().unwrap().readied.clone()
    }

    /// Returns the instances that were called, in order.
    pub fn called(&self) -> Vec<usize> {
        self.0.lock().unwrap().called.clone()
    }

    /// Returns the number of instances that are ready, each of which would hold a permit.
    pub fn permits(&self) -> usize {
        self.0.lock().unwrap().permits
    }
}

impl Strict {
    /// Returns the first instance, and the log of all instances.
    pub fn new() -> (Self, Log) {
        let log = Log::default();
        (Self::instance(&log), log)
    }

    fn instance(log: &Log) -> Self {
        let mut entries = log.0.lock().unwrap();
        let instance = entries.instances;
        entries.instances += 1;
        Self {
            log: log.clone(),
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
            self.log.0.lock().unwrap().permits -= 1;
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Request<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !mem::replace(&mut self.ready, true) {
            let mut entries = self.log.0.lock().unwrap();
            entries.readied.push(self.instance);
            entries.permits += 1;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(mem::take(&mut self.ready), "called without being ready");
        let mut entries = self.log.0.lock().unwrap();
        entries.called.push(self.instance);
        entries.permits -= 1;
        ready(Ok(Response::new(request)))
    }
}
