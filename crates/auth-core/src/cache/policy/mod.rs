//! When a token is stale and expired, how failures back off, and how many refreshes
//! rejections may cause.

mod backoff;
mod builder;
mod life;
mod refresh_policy;
mod rejection_budget;

pub use builder::RefreshPolicyBuilder;
pub(super) use life::Life;
pub use refresh_policy::RefreshPolicy;
pub(super) use rejection_budget::RejectionBudget;
