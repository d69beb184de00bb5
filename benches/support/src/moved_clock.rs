//! The machine's clocks, moved forward by the bench.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::time::{Clock, Now, Sleep, SystemClock};

/// Reads the two coarse clocks, as the system clock of a cache does, and adds how far it was moved.
#[derive(Clone, Debug, Default)]
pub struct MovedClock {
    seconds: Arc<AtomicU64>,
}

impl MovedClock {
    pub fn advance(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Relaxed);
    }

    fn moved(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Relaxed))
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Now {
        SystemClock.now().after(self.moved())
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        SystemClock.sleep_until(deadline.saturating_sub(self.moved()))
    }
}
