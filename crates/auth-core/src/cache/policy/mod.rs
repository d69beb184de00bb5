//! The deadlines of a token, the backoff after failures, and the rejection budget.

mod backoff;
mod builder;
mod life;
mod refresh_policy;
mod rejection_budget;

pub use builder::RefreshPolicyBuilder;
pub(super) use life::Life;
pub use refresh_policy::RefreshPolicy;
pub(crate) use rejection_budget::RejectionKind;
pub(super) use rejection_budget::{Probation, RejectionBudgets};
