//! Behaviour, end to end, on loopback.

// clippy.toml allows these in test functions, and not in what those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod auto_traits;
mod bound_origins;
mod cache;
mod fleet_simulation;
mod grant;
mod hyper_client;
mod keyed;
mod per_request;
mod providers;
mod readme;
mod refusal;
mod reqwest_client;
mod secrets;
mod shared;
mod stacks_layers;
mod stacks_readiness;
mod stacks_redirects;
mod support;
mod tenants;
mod tonic_channel;
mod transport_answers;
mod transport_redirects;
