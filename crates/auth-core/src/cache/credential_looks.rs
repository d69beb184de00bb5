//! Looks whether the credentials of a source have changed: one at a time, at most once a second.

use std::{sync::Arc, time::Duration};

use super::{
    runtime::{Runtime, Task},
    turns::GRACE,
};
use crate::{Error, ErrorKind, TokenSource, panics::catch_panic, time::AnyClock};

/// The minimum time between two looks.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// From the third look in a row that finds a change on, the interval doubles up to this maximum: the
/// changes end no failure.
const MAX_LOOK_INTERVAL: Duration = Duration::from_secs(300);
/// The maximum time of one look.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// The looks of one source.
#[derive(Debug, Default)]
pub(super) struct CredentialLooks {
    next_look: Duration,
    /// The number of looks in a row that found a change.
    changes_in_a_row: u32,
    look: Option<Task>,
}

/// Returns whether a failure may end because the credentials change.
pub(super) fn may_depend_on_credentials(error: &Error) -> bool {
    !error.is_transient() || error.kind() == ErrorKind::Configuration
}

impl CredentialLooks {
    /// Returns whether a look is due. Then the next one is due after this one.
    pub(super) fn take_due(&mut self, now: Duration) -> bool {
        let is_due = now >= self.next_look;
        if is_due {
            // until the look has finished; in a runtime that is not driven it never does
            self.next_look = ends_at(now).saturating_add(GRACE);
        }
        is_due
    }

    /// Sets the task of the current look. Returns that of the one before.
    pub(super) fn set_task(&mut self, look: Task) -> Option<Task> {
        self.look.replace(look)
    }

    /// Records the result of the look that began at `started`.
    pub(super) fn finished(&mut self, started: Duration, has_changed: bool) {
        let doublings = self.changes_in_a_row.saturating_sub(2).min(16);
        let interval = match has_changed {
            true => LOOK_INTERVAL.saturating_mul(1 << doublings),
            false => LOOK_INTERVAL,
        };
        self.next_look = started.saturating_add(interval.min(MAX_LOOK_INTERVAL));
        self.changes_in_a_row = match has_changed {
            true => self.changes_in_a_row.saturating_add(1),
            false => 0,
        };
    }
}

impl Drop for CredentialLooks {
    fn drop(&mut self) {
        if let Some(look) = self.look.take() {
            look.abort();
        }
    }
}

/// Looks in a task, and passes on whether the credentials have changed.
pub(super) fn look(
    runtime: &Runtime,
    clock: AnyClock,
    source: Arc<dyn TokenSource>,
    started: Duration,
    finished: impl FnOnce(bool) + Send + 'static,
) -> Task {
    runtime.spawn(async move {
        let changed = async { source.credentials_changed().await };
        let changed = clock.before(ends_at(started), changed);
        let what = "looking for changed credentials panicked";
        let changed = catch_panic(ErrorKind::Panicked, what, changed).await;
        finished(matches!(changed, Ok(Some(true))));
    })
}

fn ends_at(started: Duration) -> Duration {
    started.saturating_add(LOOK_TIMEOUT)
}
