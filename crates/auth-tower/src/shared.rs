use std::sync::{Arc, Mutex, PoisonError};

use auth_core::Authorizer;

/// What all clones of a client have in common, and what each of its requests keeps alive: the tokens
/// have to outlive a client that is dropped while its last request is on its way.
///
/// One handle to all of it costs a request less than a clone of the service would, which is needed
/// only when a token is refused. It is on cache lines of its own, apart from the count of the
/// handles, so that reading it costs nothing more while other threads clone them.
#[repr(align(128))]
pub(crate) struct Shared<S, R> {
    pub(crate) authorizer: Authorizer,
    pub(crate) replay: R,
    /// Never made ready, so it holds nothing. Locked only to be cloned.
    spare: Mutex<S>,
}

impl<S, R> Shared<S, R> {
    pub(crate) fn new(authorizer: Authorizer, replay: R, spare: S) -> Arc<Self> {
        Arc::new(Self {
            authorizer,
            replay,
            spare: Mutex::new(spare),
        })
    }
}

impl<S: Clone, R> Shared<S, R> {
    /// The inner service, not ready yet.
    pub(crate) fn service(&self) -> S {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.clone()
    }
}
