//! The memory of a cache for the rejections of its tokens.

use super::policy::{Observation, RejectionBudgets};
use crate::event_limit::EventLimit;

/// The memory of a cache for the rejections of its tokens. Most caches have none.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    pub(super) budgets: RejectionBudgets,
    /// The last rejected token that stayed in use.
    pub(super) observation: Option<Observation>,
    /// Limits the event `token_rejected`.
    pub(super) events: EventLimit,
    /// Limits the event `replacement_withheld`.
    pub(super) withheld_events: EventLimit,
    /// The number of requests that were replayed.
    pub(super) replays: u64,
}
