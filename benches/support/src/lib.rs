//! The library of the benches. Without the feature `bench` it has the report, which
//! `cargo xtask bench-report` prints too, and the threads on which the benches run.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
// not published: the benches are the only callers
#![allow(
    missing_debug_implementations,
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default
)]

#[cfg(feature = "reads")]
pub mod floor;
#[cfg(feature = "bench")]
pub mod interleaved;
#[cfg(feature = "bench")]
pub mod moved_clock;
#[cfg(feature = "bench")]
pub mod outside;
pub mod paired;
pub mod probe;
pub mod processors;
#[cfg(feature = "reads")]
pub mod reads;
pub mod report;
#[cfg(feature = "bench")]
pub mod server;
pub mod threads;
#[cfg(feature = "reads")]
mod token;
#[cfg(feature = "bench")]
pub mod waiters;
mod whole_core;

#[cfg(feature = "reads")]
pub use token::{Instantly, TOKEN_LENGTH, fill, header, ready_cache, ready_now, token};
