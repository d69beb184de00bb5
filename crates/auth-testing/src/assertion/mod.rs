//! Verifies assertions (RFC 7523 §3) by another library than the one that signs them.

mod audience;
mod claims;
mod key;
mod used_ids;
mod verifier;

pub(crate) use self::claims::Claims;
pub use self::{audience::AcceptedAudience, key::VerificationKey, verifier::AssertionVerifier};
