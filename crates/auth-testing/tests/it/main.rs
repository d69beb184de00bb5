//! The servers and their controls, as an HTTP client sees them.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it inside test functions, and their helpers need it as well"
)]

mod authorization_server;
#[cfg(feature = "grpc")]
mod auto_traits;
mod client;
#[cfg(feature = "jose")]
mod client_assertions;
#[cfg(feature = "tls")]
mod client_certificates;
mod faults;
mod gate_and_latency;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "jose")]
mod jwt_bearer;
mod lifecycle;
mod longest_durations;
mod metadata;
mod protected_api;
mod refresh_tokens;
mod revocation;
mod token_errors;
mod token_exchange;
