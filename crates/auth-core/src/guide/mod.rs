//! Guides: how these crates behave in production.
//!
//! - [`failures`]: the behavior of requests when the authorization server, the API or the network
//!   fails
//! - [`many_tokens`]: several scopes, audiences, APIs or tenants in one client
//! - [`workload_identity`]: clients that authenticate by a token of their platform
//! - [`private_key_jwt`]: clients that sign
//! - [`mtls`]: clients that authenticate by a certificate
//! - [`testing`]: tests of your own program, with time under the test's control
//!
//! The order of layers in a tower stack is the subject of `auth_tower::guide::layers`.

pub mod failures;
pub mod many_tokens;
pub mod mtls;
pub mod private_key_jwt;
pub mod testing;
pub mod workload_identity;
