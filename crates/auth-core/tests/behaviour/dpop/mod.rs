//! Tokens that are bound to a key (RFC 9449).

mod endpoint;
mod shared_store;
mod token_requests;
mod token_types;
