//! A fetch that looks into the store that processes share before it requests a token, and saves the
//! token there afterwards.

mod acquire;
mod admission;
mod operation;
mod save;

pub(super) use acquire::fetch;
