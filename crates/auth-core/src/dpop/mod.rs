//! Proofs that the client has the key of its tokens (RFC 9449): who makes them, and the nonces that
//! servers demand in them. Signs nothing itself.

mod claims;
mod key;
mod nonce;
mod nonces;
mod proof;
mod prover;

use http::HeaderName;

pub use claims::ProofClaims;
pub use key::Dpop;
pub(crate) use nonce::{Nonce, NonceCell};
pub(crate) use proof::proof_header;
pub use prover::DpopProver;

/// The header of a proof (RFC 9449 §4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
