//! Tokens that are bound to a key (RFC 9449).

mod api;
mod channels;
mod demanded_nonces;
mod endpoint;
mod fixed_prover;
mod grpc;
mod proofs;
mod remote_keys;
mod shared_store;
mod token_requests;
mod token_types;
