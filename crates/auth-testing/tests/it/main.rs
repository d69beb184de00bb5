//! Everything a test can tell the servers, seen from the other end of the wire.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it inside test functions; here are their helpers too"
)]

mod authorization_server;
#[cfg(feature = "grpc")]
mod auto_traits;
mod client;
mod faults;
#[cfg(feature = "grpc")]
mod grpc;
mod life;
mod protected_api;
mod token_errors;
mod waiting;
