//! Tests across several crates, on loopback.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bound_origins;
mod changing_nonces;
mod classification;
mod client_certificates;
mod error_find;
mod fleet_simulation;
mod grants_at_the_server;
mod per_request;
#[cfg(unix)]
mod projected_token;
#[cfg(unix)]
mod projected_volume;
mod provider_assertions;
mod readme;
mod temporary_file;
mod token_answers;
mod token_connections;
mod token_endpoint_answers;
mod token_endpoint_redirects;
mod unlisted_origins;
