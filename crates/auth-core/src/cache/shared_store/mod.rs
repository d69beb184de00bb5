//! A fetch that loads a token from the shared store before it requests one, and saves its token
//! there afterwards.

mod acquire;
mod admission;
mod need;
mod operation;
mod save;

pub(super) use acquire::fetch;
pub(super) use save::Unsaved;
