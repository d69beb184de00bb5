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

/// Why an operation came to nothing.
pub(super) enum Trouble {
    /// The store failed, and that has been told.
    Failed,
    /// There was less time for it than the store is to be given: it may work.
    NoTime(&'static str, Error),
}

impl Journey {
    /// The outcome of one operation of the store, if it has one in time.
    pub(super) async fn patiently<T>(
        &self,
        place: &Place,
        operation: &'static str,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Trouble> {
        let left = self.deadline.saturating_sub(self.clock.now().monotonic);
        let (patience, most) = (patience(place).await, left / SHARE_OF_ATTEMPT);
        match self.within(patience.min(most), outcome).await {
            Ok(outcome) => outcome.map_err(|error| self.failed(operation, &error)),
            Err(too_slow) if most < patience => Err(Trouble::NoTime(operation, too_slow)),
            Err(too_slow) => Err(self.failed(operation, &too_slow)),
        }
    }

    /// The same for what is done when the token, if one came, is in use already.
    pub(super) async fn afterwards(
        &self,
        place: &Place,
        operation: &'static str,
        outcome: impl Future<Output = Result<(), Error>>,
    ) {
        let patience = patience(place).await.saturating_mul(PATIENCE_AFTERWARDS);
        let outcome = self.within(patience, outcome).await;
        if let Ok(Err(error)) | Err(error) = outcome {
            self.failed(operation, &error);
        }
    }

    /// What an operation comes to; an error in the place of that if it takes too long.
    async fn within<T>(
        &self,
        patience: Duration,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Error> {
        let until = self.clock.now().monotonic.saturating_add(patience);
        let outcome = self.clock.before(until, unpanicked(outcome)).await;
        outcome.map(of_store).ok_or_else(|| {
            let too_slow = format!("no answer within {:.3} s", patience.as_secs_f64());
            Error::new(ErrorKind::SharedStore, too_slow)
        })
    }

    /// Tells it.
    pub(super) fn failed(&self, operation: &'static str, error: &Error) -> Trouble {
        if let Some(cache) = self.cache.upgrade() {
            cache.store_failures.fetch_add(1, Relaxed);
        }
        events::shared_store_failed(operation, error);
        Trouble::Failed
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
