//! Thumbprints of certificates.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Returns the thumbprint `x5t#S256` of a certificate in DER (RFC 8705 §3.1).
pub(super) fn thumbprint(der: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(der))
}
