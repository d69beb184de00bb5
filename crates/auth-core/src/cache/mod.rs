//! One access token: cached, refreshed before it expires, replaced after the API rejects it.
//!
//! From the bottom up: `slot`, `deadlines` and `per_thread` hold the token, `thread_number` tells which copy
//! is whose, `policy` computes deadlines, `rejections` and `state` are the data under the lock, `inner` joins
//! them, `turns`, `denials`, `credential_looks` and `client` are what all caches of one source share,
//! `waiting` obtains a turn, `fetch` is one token request, `shared_store` wraps it where processes share a
//! token, `refresh_task` runs it, `completion` records its result, `rejection` requests a replacement,
//! `revocation` revokes the token, `reading` is the future of a read, and `token_cache` is the public handle.

mod changes;
mod client;
mod completion;
mod credential_looks;
mod deadlines;
mod denials;
mod fetch;
mod inner;
mod per_thread;
mod policy;
mod reading;
mod refresh_task;
mod rejection;
mod rejections;
mod revocation;
mod runtime;
mod shared_store;
mod slot;
mod state;
mod status;
mod sync;
mod thread_number;
mod token_cache;
mod turn_order;
mod turns;
mod waiting;

pub use changes::TokenChanges;
pub(crate) use inner::Issued;
pub(crate) use policy::RejectionKind;
pub use policy::{RefreshPolicy, RefreshPolicyBuilder};
pub(crate) use rejection::Replacing;
pub use rejection::{PendingToken, Replacement};
#[cfg(auth_loom)]
pub use runtime::block_on;
pub use status::CacheStatus;
pub use token_cache::{TokenCache, TokenCacheBuilder};
