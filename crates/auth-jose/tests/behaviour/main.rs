//! The behavior of the crate through its public API.

mod algorithms;
mod certificates;
mod garbage;
mod invalid_keys;
mod key_formats;
mod keys;
mod rfc_vectors;
mod secrecy;
mod signers;
