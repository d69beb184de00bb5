//! The client whose kept connections have the current identity.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use http_body::Body;
use hyper_util::client::legacy::{Builder, Client, connect::Connect};

/// A client of hyper-util that is replaced, with its connections, when the identity changes.
pub(crate) struct ByIdentity<C, B> {
    identity: Box<dyn Fn() -> String + Send + Sync>,
    builder: Builder,
    connector: C,
    /// The identity before its connections were opened, and the client.
    current: Mutex<(String, Client<C, B>)>,
}

impl<C, B> ByIdentity<C, B>
where
    C: Connect + Clone,
    B: Body<Data: Send> + Send,
{
    pub(crate) fn new(
        identity: impl Fn() -> String + Send + Sync + 'static,
        builder: Builder,
        connector: C,
    ) -> Self {
        let current = (identity(), builder.build(connector.clone()));
        Self {
            identity: Box::new(identity),
            builder,
            connector,
            current: Mutex::new(current),
        }
    }

    /// Returns the client for the next request.
    pub(crate) fn client(&self) -> Client<C, B> {
        let identity = (self.identity)();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == identity {
            return current.1.clone();
        }
        let next = self.builder.build(self.connector.clone());
        let replaced = mem::replace(&mut *current, (identity, next.clone()));
        drop(current);
        // under no lock: this closes the idle connections
        drop(replaced);
        next
    }
}
