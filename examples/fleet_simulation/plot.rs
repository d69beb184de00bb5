//! The plots.

mod day;
mod outage;
mod panel;
mod periods;

pub(crate) use day::day;
pub(crate) use outage::outage;
pub(crate) use periods::periods;
