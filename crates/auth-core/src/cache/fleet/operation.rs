//! One operation of the store: it has its time, may fail and may panic, and is told of if it does.

use std::{future::Future, sync::atomic::Ordering::Relaxed, time::Duration};

use super::{
    super::journey::{Journey, unpanicked},
    Place,
};
use crate::{Error, ErrorKind, events};

/// No operation before the token request may take more than this part of what the attempt has left.
const SHARE_OF_ATTEMPT: u32 = 4;
/// Nobody waits for what is done after it.
const PATIENCE_AFTERWARDS: u32 = 4;

impl Journey {
    /// The outcome of one operation of the store; `None`, and an event, if it has none in time.
    pub(super) async fn patiently<T>(
        &self,
        place: &Place,
        operation: &'static str,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Option<T> {
        let left = self.deadline.saturating_sub(self.clock.now().monotonic);
        let patience = patience(place).await.min(left / SHARE_OF_ATTEMPT);
        self.within(patience, operation, outcome).await
    }

    /// The same for what is done when the token, if one came, is in use already.
    pub(super) async fn afterwards(
        &self,
        place: &Place,
        operation: &'static str,
        outcome: impl Future<Output = Result<(), Error>>,
    ) {
        let patience = patience(place).await.saturating_mul(PATIENCE_AFTERWARDS);
        self.within(patience, operation, outcome).await;
    }

    async fn within<T>(
        &self,
        patience: Duration,
        operation: &'static str,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Option<T> {
        let until = self.clock.now().monotonic.saturating_add(patience);
        let outcome = self.clock.before(until, unpanicked(outcome)).await;
        let outcome = outcome.map_or_else(
            || {
                let too_slow = format!("no answer within {:.3} s", patience.as_secs_f64());
                Err(Error::new(ErrorKind::SharedStore, too_slow))
            },
            of_store,
        );
        outcome
            .inspect_err(|error| self.store_failed(operation, error))
            .ok()
    }

    pub(super) fn store_failed(&self, operation: &'static str, error: &Error) {
        if let Some(cache) = self.cache.upgrade() {
            cache.store_failures.fetch_add(1, Relaxed);
        }
        events::shared_store_failed(operation, error);
    }
}

pub(super) async fn patience(place: &Place) -> Duration {
    let patience = unpanicked(async { place.store.patience() }).await;
    patience.unwrap_or_default()
}

/// What an operation came to, its panic told as what it is.
pub(super) fn of_store<T>(outcome: Result<Result<T, Error>, Error>) -> Result<T, Error> {
    outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::SharedStore, "the store panicked")))
}
