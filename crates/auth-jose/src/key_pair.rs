//! Keys as ring holds them.

use ring::{
    error::Unspecified,
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair, RsaPublicKeyComponents,
    },
};
use zeroize::Zeroizing;

use crate::{
    algorithm::Algorithm,
    key_type::{Curve, KeyType},
    public_jwk::{Parts, PublicJwk},
};

/// A key that signs.
pub(crate) enum KeyPair {
    Ec(Curve, EcdsaKeyPair),
    Rsa {
        pair: RsaKeyPair,
        /// Whether the key is for RSASSA-PSS alone.
        is_pss_only: bool,
    },
    Ed25519(Ed25519KeyPair),
    /// The secret itself and not ring's key, which would not be wiped.
    Hmac(Zeroizing<Vec<u8>>),
}

impl Curve {
    pub(crate) fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }
}

impl KeyPair {
    /// Returns the type of an asymmetric key.
    pub(crate) fn key_type(&self) -> Option<KeyType> {
        match self {
            Self::Ec(curve, _) => Some(KeyType::Ec(*curve)),
            Self::Rsa { is_pss_only, .. } if *is_pss_only => Some(KeyType::RsaPss),
            Self::Rsa { .. } => Some(KeyType::Rsa),
            Self::Ed25519(_) => Some(KeyType::Ed25519),
            Self::Hmac(_) => None,
        }
    }

    /// Returns whether the key signs by `algorithm`. The length of a symmetric key is another matter.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        match self.key_type() {
            Some(key_type) => key_type.fits(algorithm),
            None => algorithm.is_symmetric(),
        }
    }

    /// Returns the public key of an asymmetric key.
    pub(crate) fn public_jwk(&self) -> Option<PublicJwk> {
        let parts = match self {
            Self::Ec(curve, pair) => Parts::Ec {
                curve: *curve,
                point: pair.public_key().as_ref().to_vec(),
            },
            Self::Rsa { pair, .. } => {
                let RsaPublicKeyComponents { n, e } = pair.public().into();
                Parts::Rsa { n, e }
            }
            Self::Ed25519(pair) => Parts::Ed25519 {
                x: pair.public_key().as_ref().to_vec(),
            },
            Self::Hmac(_) => return None,
        };
        Some(PublicJwk::of(parts))
    }

    /// Returns the signature of `message` by an algorithm that [fits](Self::fits).
    pub(crate) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(_, pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Self::Rsa { pair, .. } => {
                let mut signature = vec![0; pair.public().modulus_len()];
                match algorithm {
                    Algorithm::Ps256 => {
                        pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)?;
                    }
                    _ => pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?,
                }
                Ok(signature)
            }
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Hmac(secret) => {
                let algorithm = match algorithm {
                    Algorithm::Hs384 => hmac::HMAC_SHA384,
                    Algorithm::Hs512 => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                let key = hmac::Key::new(algorithm, secret);
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
        }
    }
}
