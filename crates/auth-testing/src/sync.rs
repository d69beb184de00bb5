//! Synchronization between a test and a server: a lock, a counter and a gate.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Locks `mutex`, poisoned or not: a test thread may panic, and no critical section of this crate
/// leaves a half-changed value behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A counter that a test can wait for.
#[derive(Debug, Default)]
pub(crate) struct Counter(watch::Sender<usize>);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.send_modify(|value| *value += 1);
    }

    pub(crate) fn value(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until the value is at least `min`.
    pub(crate) async fn wait_until(&self, min: usize) {
        // an error would mean that the sender is gone, and `self` holds it
        let _ = self.0.subscribe().wait_for(|value| *value >= min).await;
    }
}

/// Holds requests back while it is closed. It is open at first.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn open(&self) {
        self.closed.send_replace(false);
    }

    /// Waits until the gate is open.
    pub(crate) async fn pass(&self) {
        // an error would mean that the sender is gone, and `self` holds it
        let _ = self.closed.subscribe().wait_for(|closed| !closed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_counter_wakes_its_waiter_at_the_value_and_not_before() {
        let counter = Counter::default();
        counter.wait_until(0).await;
        let waiter = counter.wait_until(2);
        tokio::pin!(waiter);
        for _ in 0..2 {
            assert!(futures_util::poll!(&mut waiter).is_pending());
            counter.increment();
        }
        waiter.await;
        assert_eq!(counter.value(), 2);
    }

    #[tokio::test]
    async fn a_closed_gate_holds_requests_until_it_opens() {
        let gate = Gate::default();
        gate.pass().await;
        gate.close();
        let waiter = gate.pass();
        tokio::pin!(waiter);
        assert!(futures_util::poll!(&mut waiter).is_pending());
        gate.open();
        waiter.await;
    }
}
