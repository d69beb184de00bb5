//! Tests against a Redis server: the one at `AUTH_TEST_REDIS_URL`, or one that a test starts by the
//! program `INTEROP_REDIS`. `cargo xtask test` sets both variables.

// clippy.toml allows these in test functions, but not in the functions that those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[cfg(feature = "cluster")]
mod cluster;
mod conformance;
mod dropped_waiters;
mod error_replies;
mod events;
mod fixture;
mod leases;
mod notifications;
mod outages;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod tcp_relay;
mod temporary_directory;
#[cfg(feature = "tls")]
mod tls;
mod tokens;
mod unix_socket;
