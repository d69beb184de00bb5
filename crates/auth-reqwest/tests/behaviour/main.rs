//! The middleware on reqwest-middleware's client, on loopback.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod auto_traits;
mod caller_deadline;
mod dpop;
mod host_header;
mod proxies;
mod redirects;
mod rejections;
mod reqwest_client;
mod secrets;
mod token_connections;
mod token_requests;
