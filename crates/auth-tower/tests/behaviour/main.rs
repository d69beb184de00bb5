//! The layer and the transport on hyper, tonic and tower's own services, on loopback.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod auto_traits;
mod awaited_token;
mod caller_deadline;
mod grpc_allocations;
mod host_header;
mod hyper_client;
mod overlapping_token_requests;
mod own_failure;
mod readiness;
mod redirects;
mod redirects_of_tenants;
mod redirects_of_unlisted_origins;
mod rejections;
mod secrets;
mod token_connections;
mod token_requests;
mod tonic_channel;
mod tower_layers;
