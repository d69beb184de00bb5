//! Tests against third-party servers: the authorization server and the gRPC servers of `fixtures/`, Redis and
//! Valkey. Each test starts its own servers. `cargo xtask test` installs their requirements.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod call;
mod call_redirected;
mod call_rejected;
mod client_methods;
mod fixture_checks;
mod grant;
mod greeter_client;
mod grpc_dpop;
mod grpc_rejected;
mod harness;
mod jose_library;
mod redis_server;
mod redis_server_checks;
mod redis_store;
mod run_call;
mod shared_token;
mod stacks;
mod under_load;
