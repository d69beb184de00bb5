//! Against a Redis: the one at `AUTH_TEST_REDIS_URL`, or one of its own that the test starts with the
//! program `INTEROP_REDIS`. `cargo xtask test` sets both.

// clippy.toml allows these in test functions, and not in what those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod abandoned;
#[cfg(feature = "cluster")]
mod cluster;
mod conformance;
mod directory;
mod events;
mod fixture;
mod leases;
mod outages;
mod refusals;
mod relay;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod tokens;
mod waiting;
