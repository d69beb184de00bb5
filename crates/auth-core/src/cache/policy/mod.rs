//! The deadlines of a token, the backoff after failures, and the limits of what rejections cause.

mod backoff;
mod builder;
mod life;
mod observation;
mod probation;
mod refresh_policy;
mod rejection_budget;

pub use builder::RefreshPolicyBuilder;
pub(super) use life::Life;
pub(super) use observation::Observation;
pub(super) use probation::Probation;
pub use refresh_policy::RefreshPolicy;
pub(super) use rejection_budget::RejectionBudgets;
pub(crate) use rejection_budget::RejectionKind;
