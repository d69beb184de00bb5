//! Behaviour that takes several of the crates, on loopback.

// clippy.toml allows these in test functions, and not in what those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bound_origins;
mod classification;
mod fleet_simulation;
mod per_request;
mod readme;
mod token_endpoint_answers;
mod token_endpoint_redirects;
mod unlisted_origins;
