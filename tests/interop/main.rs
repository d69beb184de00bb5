//! Against third-party servers: the authorization server and the gRPC servers of `fixtures/`, Redis and
//! Valkey, each test with its own. `cargo xtask test` installs what they need.

// clippy.toml allows these in test functions, and not in what those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod call;
mod call_redirected;
mod call_rejected;
mod fixtures_work;
mod grant;
mod greeter;
mod grpc_rejected;
mod harness;
mod redis_server;
mod redis_servers_work;
mod run_call;
mod shared_token;
mod stacks;
mod under_load;
