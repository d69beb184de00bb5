//! The machine of a process: it can be frozen or suspended, and its clock can be set.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use auth_core::time::{Clock, Now, Sleep};
use tokio::time::{Instant, sleep, sleep_until};

const WALL_START: Duration = Duration::from_secs(1_735_689_600);

/// A machine, whose clocks are right until a test changes them. Clones are the same machine.
#[derive(Clone)]
pub(super) struct Machine(Arc<Mutex<State>>);

#[derive(Clone, Copy)]
struct State {
    start: Instant,
    frozen_until: Instant,
    /// When the machine was last frozen, or its clock was set.
    disturbed: Option<Instant>,
    is_behind: bool,
    /// The total time of suspensions, by which the monotonic clock is behind.
    slept: Duration,
    wall: Duration,
}

impl Machine {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State {
            start: now,
            frozen_until: now,
            disturbed: None,
            is_behind: false,
            slept: Duration::ZERO,
            wall: WALL_START,
        })))
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap()
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.state().frozen_until > Instant::now()
    }

    /// Freezes the process for `time`. Both clocks continue.
    pub(super) fn freeze(&self, time: Duration) {
        let mut state = self.0.lock().unwrap();
        state.frozen_until = state.frozen_until.max(Instant::now() + time);
        state.disturbed = Some(state.frozen_until);
    }

    /// Freezes the process and its monotonic clock for `time`.
    ///
    /// If the wall clock was set back, the monotonic clock continues: otherwise no clock would show that a
    /// token has ended.
    pub(super) fn suspend(&self, time: Duration) {
        self.freeze(time);
        let mut state = self.0.lock().unwrap();
        if !state.is_behind {
            state.slept += time;
        }
    }

    pub(super) fn set_wall_forward(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.wall += by;
        state.disturbed = state.disturbed.max(Some(Instant::now()));
    }

    /// Sets the wall clock back, unless the machine has been suspended.
    pub(super) fn set_wall_back(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        if state.slept.is_zero() {
            state.wall -= by;
            state.is_behind = true;
            state.disturbed = state.disturbed.max(Some(Instant::now()));
        }
    }

    pub(super) fn disturbed(&self) -> Option<Instant> {
        self.state().disturbed
    }

    pub(super) fn frozen_until(&self) -> Instant {
        self.state().frozen_until
    }

    /// Awaits `future`, which is not polled while the machine is frozen.
    pub(super) async fn run<F: Future>(&self, future: F) -> F::Output {
        let frozen_until = || {
            let until = self.state().frozen_until;
            (until > Instant::now()).then_some(until)
        };
        delayed_until(frozen_until, future).await
    }
}

/// Awaits `future`, which is not polled before the time that `until` returns.
pub(super) async fn delayed_until<F: Future>(
    until: impl Fn() -> Option<Instant>,
    future: F,
) -> F::Output {
    let mut future = pin!(future);
    let mut alarm = None;
    poll_fn(|cx| {
        while let Some(until) = until() {
            let alarm = alarm.insert(Box::pin(sleep_until(until)));
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        future.as_mut().poll(cx)
    })
    .await
}

impl Clock for Machine {
    fn now(&self) -> Now {
        let state = self.state();
        let time = state.start.elapsed();
        Now {
            monotonic: time.saturating_sub(state.slept),
            wall: state.wall + time,
        }
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        let machine = self.clone();
        Box::pin(async move {
            let asleep = async {
                // the machine may be suspended during the sleep
                while let Some(left) = deadline.checked_sub(machine.now().monotonic)
                    && !left.is_zero()
                {
                    sleep(left).await;
                }
            };
            machine.run(asleep).await;
        })
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}
