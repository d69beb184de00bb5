//! One operation of the store: it has a time limit, may fail and may panic. Its failure is logged
//! and counted.

use std::{
    future::Future,
    sync::{Arc, Weak},
    time::Duration,
};

use super::super::inner::Inner;
use crate::{
    Error, ErrorKind, events,
    panics::catch_panic,
    shared_store::{SharedKey, SharedTokenStore},
    time::AnyClock,
};

/// An operation before the token request may take at most this part of the attempt's remaining
/// time.
const PART_OF_ATTEMPT: u32 = 4;
/// An operation after the token request may take this many times the store's patience: no caller
/// waits for it.
const PATIENCE_AFTERWARDS: u32 = 4;

/// Access to the saved token of one key, for the time of one fetch or one revocation.
pub(super) struct StoreAccess {
    pub(super) store: Arc<dyn SharedTokenStore>,
    pub(super) key: SharedKey,
    pub(super) clock: AnyClock,
    cache: Weak<Inner>,
    /// The deadline of the fetch or the revocation, by the monotonic clock.
    pub(super) deadline: Duration,
}

/// The reason why an operation has no result.
pub(super) enum OperationError {
    /// The store failed. The failure has been logged and counted.
    Failed,
    /// The attempt left the store less time than its patience. The store may be working.
    NoTime(&'static str, Error),
}

impl StoreAccess {
    pub(super) fn new(
        store: &Arc<dyn SharedTokenStore>,
        key: SharedKey,
        clock: AnyClock,
        cache: &Weak<Inner>,
        deadline: Duration,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            key,
            clock,
            cache: Weak::clone(cache),
            deadline,
        }
    }

    /// Runs an operation before the token request or the revocation.
    pub(super) async fn before_request<T>(
        &self,
        operation: &'static str,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, OperationError> {
        let left = self.deadline.saturating_sub(self.clock.now().monotonic);
        let (patience, max) = (self.patience().await, left / PART_OF_ATTEMPT);
        match self
            .within(patience.min(max), max < patience, outcome)
            .await
        {
            Ok(outcome) => outcome.map_err(|error| self.failed(operation, &error)),
            Err(too_slow) if max < patience => Err(OperationError::NoTime(operation, too_slow)),
            Err(too_slow) => Err(self.failed(operation, &too_slow)),
        }
    }

    /// Runs an operation after the token request, when callers already use the token.
    pub(super) async fn after_request(
        &self,
        operation: &'static str,
        outcome: impl Future<Output = Result<(), Error>>,
    ) {
        let patience = self.patience().await.saturating_mul(PATIENCE_AFTERWARDS);
        let outcome = self.within(patience, false, outcome).await;
        if let Ok(Err(error)) | Err(error) = outcome {
            self.failed(operation, &error);
        }
    }

    /// Returns the outcome of an operation, or an error if it takes longer than `limit`. `is_cut`: the
    /// limit is shorter than the store's patience.
    async fn within<T>(
        &self,
        limit: Duration,
        is_cut: bool,
        outcome: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Error> {
        let until = self.clock.now().monotonic.saturating_add(limit);
        // an operation that times out is dropped inside the catch
        let outcome = catch_store_panic(self.clock.before(until, outcome)).await;
        outcome.transpose().map(flatten).ok_or_else(|| {
            Error::new(
                ErrorKind::SharedStore,
                match is_cut {
                    // no varying number, so that equal errors have equal texts
                    true => "shared store: expected an outcome in the attempt's remaining time, \
                             got none"
                        .to_owned(),
                    false => {
                        format!("shared store: expected an outcome within {limit:?}, got none")
                    }
                },
            )
        })
    }

    /// Logs and counts a failure.
    pub(super) fn failed(&self, operation: &'static str, error: &Error) -> OperationError {
        if let Some(cache) = self.cache.upgrade() {
            cache.counters.count_store_failure();
        }
        events::shared_store_failed(operation, error);
        OperationError::Failed
    }

    pub(super) async fn patience(&self) -> Duration {
        let patience = catch_store_panic(async { self.store.patience() }).await;
        patience.unwrap_or_default()
    }
}

/// Runs an operation of the store. Its panic is an error of the store.
pub(super) async fn catch_store_panic<T>(operation: impl Future<Output = T>) -> Result<T, Error> {
    catch_panic(
        ErrorKind::SharedStore,
        "the shared store panicked",
        operation,
    )
    .await
}

/// Merges the panic of an operation with its own error.
pub(super) fn flatten<T>(outcome: Result<Result<T, Error>, Error>) -> Result<T, Error> {
    outcome.unwrap_or_else(Err)
}
