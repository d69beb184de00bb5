//! Behaviour through the public API.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod auto_traits;
mod bound_origins;
mod cache;
mod captured_log;
mod client_credentials;
mod client_credentials_authorizer;
mod decorating_source;
mod errors;
mod keyed;
mod new_connection;
mod providers;
mod rejections;
mod scopes;
mod secrets;
mod shared_store;
mod tenants;
