//! Checks what a signer returned.

use auth_core::{Error, shared_store::internal::transient};
use ring::{
    error::Unspecified,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
    },
};

use crate::{
    algorithm::Algorithm,
    fault::invalid,
    key_type::Curve,
    public_jwk::{Parts, PublicJwk},
    signer::Signer,
};

const WHAT: &str = "signer";
/// The shortest signature by RSA, in octets, where the key is not known.
const MIN_RSA: usize = 2048 / 8;
/// The tag with which a signature in DER begins.
const DER_SEQUENCE: u8 = 0x30;

/// Checks a signature of a signer outside the process: its length, and that the public key of the signer
/// verifies it, if there is one. A service that signs may fail once, so that the error about a signature is
/// transient.
pub(crate) fn check(signer: &dyn Signer, message: &[u8], signature: &[u8]) -> Result<(), Error> {
    check_length(signer, signature).map_err(transient)?;
    verify(signer, message, signature)
}

/// Checks the length of a signature.
pub(crate) fn check_length(signer: &dyn Signer, signature: &[u8]) -> Result<(), Error> {
    let (algorithm, found) = (signer.algorithm(), signature.len());
    let rsa_bits = signer.public_jwk().and_then(PublicJwk::rsa_bits);
    let expected = match algorithm.signature_length() {
        Some(length) => Some(length),
        None => rsa_bits.map(|bits| bits.div_ceil(8)),
    };
    let told = match expected {
        Some(length) if found == length => return Ok(()),
        None if found >= MIN_RSA => return Ok(()),
        Some(length) => format!("{length}"),
        None => format!("at least {MIN_RSA}"),
    };
    let is_ecdsa = matches!(algorithm, Algorithm::Es256 | Algorithm::Es384);
    let hint = if is_ecdsa && signature.first() == Some(&DER_SEQUENCE) {
        "; it may be in DER, and has to be r and s"
    } else {
        ""
    };
    let fault =
        format!("expected a signature of {told} octets by {algorithm}, got one of {found}{hint}");
    Err(invalid(WHAT, fault))
}

/// Checks that the public key of the signer verifies a signature, if the signer has one.
fn verify(signer: &dyn Signer, message: &[u8], signature: &[u8]) -> Result<(), Error> {
    let Some(public_jwk) = signer.public_jwk() else {
        return Ok(());
    };
    let algorithm = signer.algorithm();
    if !public_jwk.fits(algorithm) {
        let fault = format!("expected a public key for {algorithm}, got one of another type");
        return Err(invalid(WHAT, fault));
    }
    let is_valid = match public_jwk.parts() {
        Parts::Ec { curve, point } => {
            let algorithm: &dyn VerificationAlgorithm = match curve {
                Curve::P256 => &ECDSA_P256_SHA256_FIXED,
                Curve::P384 => &ECDSA_P384_SHA384_FIXED,
            };
            UnparsedPublicKey::new(algorithm, point).verify(message, signature)
        }
        Parts::Rsa { n, e } => {
            let parameters = match algorithm {
                Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
        }
        Parts::Ed25519 { x } => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
    };
    is_valid.map_err(|Unspecified| {
        let fault = format!(
            "expected a signature by {algorithm} of its public key, got octets that this key does \
             not verify"
        );
        transient(invalid(WHAT, fault))
    })
}

#[cfg(test)]
mod rfc_vectors;
