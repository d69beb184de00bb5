//! A shared store for tests, and the checks that every shared store has to pass.

mod conformance;
mod entry;
mod memory_store;

pub use self::{conformance::check_shared_store, memory_store::MemoryStore};
