//! Against third-party servers: the authorization server and the gRPC servers of `fixtures/`, each
//! test with its own. `cargo xtask test` installs what they need.

// clippy.toml allows these in test functions, and not in what those call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod call;
mod fixtures_work;
mod grant;
mod harness;
mod run_call;
mod stacks;
mod under_load;
