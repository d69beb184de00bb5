//! Shared helpers of the tests of several crates: scripted token sources, raw sockets, an authorization
//! server with an API, HTTP clients and certificates.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default
)]

#[macro_use]
mod auto_traits;
pub mod cached_token;
#[cfg(feature = "tls")]
pub mod certificates;
#[cfg(feature = "hyper")]
mod deployment;
#[cfg(feature = "tls")]
pub mod failing_connections;
mod gated_source;
#[cfg(feature = "hyper")]
pub mod hyper_clients;
#[cfg(feature = "log")]
pub mod log;
mod raw_server;
mod readable_prover;
#[cfg(feature = "hyper")]
pub mod rejection;
#[cfg(feature = "reqwest")]
pub mod reqwest_clients;
pub mod scripted;
pub mod secrets;
mod sending;
#[cfg(feature = "hyper")]
mod strict;
mod time;

#[doc(hidden)]
pub use self::auto_traits::Otherwise;
#[cfg(feature = "hyper")]
pub use self::{
    deployment::{Deployment, NOTHING, authorizations},
    strict::{Log, Strict},
};
pub use self::{
    gated_source::GatedSource,
    raw_server::RawServer,
    readable_prover::{ReadProof, ReadableProver},
    sending::get,
    time::{secs, settle, with_timeout},
};
