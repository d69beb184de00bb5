//! Bodies that are sent a second time.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod known;
mod limits;
mod properties;
mod script;
mod takeover;
mod threads;
