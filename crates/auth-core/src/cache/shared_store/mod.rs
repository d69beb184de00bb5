//! A fetch that loads a token from the shared store before it requests one, and saves its token
//! there afterwards. And the removal of a token that is revoked.

mod acquire;
mod admission;
mod need;
mod operation;
mod removal;
mod save;

pub(super) use acquire::fetch;
pub(super) use removal::remove;
pub(super) use save::Unsaved;
