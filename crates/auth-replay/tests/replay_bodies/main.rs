//! Replayed bodies.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod limits;
mod properties;
mod script;
mod supported_bodies;
mod takeover;
mod threads;
