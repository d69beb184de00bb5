//! Guides: how to place this crate's layer in a client.

pub mod layers;
