//! What the benches share. With the feature `bench`; without it, only what reads their results.

// a bench that cannot be set up has nothing better to do
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
// the benches are the only readers of these names
#![allow(
    missing_debug_implementations,
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default
)]

#[cfg(feature = "bench")]
pub mod floor;
#[cfg(feature = "bench")]
pub mod interleaved;
#[cfg(feature = "bench")]
pub mod moved_clock;
pub mod paired;
#[cfg(feature = "bench")]
pub mod server;
#[cfg(feature = "bench")]
pub mod threads;
#[cfg(feature = "bench")]
mod token;
#[cfg(feature = "bench")]
pub mod waiters;

#[cfg(feature = "bench")]
pub use token::{Instantly, TOKEN_LENGTH, fill, header, ready_cache, ready_now, token};
