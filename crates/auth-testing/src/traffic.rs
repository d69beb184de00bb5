//! The part that both servers have in common: recording, counting and holding back requests.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::time::Clock;

use crate::{
    recorder::Recorder,
    sync::{Gate, lock},
};

/// Records requests, counts those in flight and holds them back.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) recorder: Recorder,
    pub(crate) gate: Gate,
    clock: Arc<dyn Clock>,
    latency: Mutex<Duration>,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

impl Traffic {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            recorder: Recorder::default(),
            gate: Gate::default(),
            clock,
            latency: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        }
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        *lock(&self.latency) = latency;
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.max_in_flight.load(Relaxed)
    }

    /// Counts a request as in flight until the returned guard is dropped.
    pub(crate) fn enter(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.max_in_flight.fetch_max(now, Relaxed);
        InFlight(&self.in_flight)
    }

    /// Waits for the gate, then for the latency.
    pub(crate) async fn hold_back(&self) {
        self.gate.pass().await;
        let latency = *lock(&self.latency);
        if !latency.is_zero() {
            let deadline = self.clock.now().monotonic.saturating_add(latency);
            self.clock.sleep_until(deadline).await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
