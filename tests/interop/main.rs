//! Against third-party servers: the authorization server and the gRPC servers of `fixtures/`, each
//! test with its own. `cargo xtask test` installs what they need.

mod fixtures_work;
mod grant;
mod harness;
mod stacks;
