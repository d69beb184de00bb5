//! The behavior of the crate through its public API.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod algorithms;
mod assertions;
mod certificates;
mod dpop;
mod garbage;
mod invalid_keys;
mod key_files;
mod key_formats;
mod keys;
mod rfc_vectors;
mod secrecy;
mod signers;
mod token_requests;
