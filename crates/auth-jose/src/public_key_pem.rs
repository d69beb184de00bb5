//! Reads public keys in PEM.

use auth_core::Error;

use crate::{certificate, fault::invalid, key_type::Unknown, pem, public_jwk::PublicJwk};

impl PublicJwk {
    /// Reads PEM with one public key: `PUBLIC KEY`, as most key management services return it, or
    /// `CERTIFICATE`.
    ///
    /// # Errors
    /// If the text is no such PEM, or the key is of a type that no [`Algorithm`](crate::Algorithm) is for.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let got = |got: &str| {
            let fault = format!("expected one in PEM, got {got}");
            invalid("public key", fault)
        };
        let blocks = pem::blocks(text).map_err(got)?;
        let [block] = blocks.as_slice() else {
            return Err(got("several blocks"));
        };
        let read: fn(&[u8]) -> Result<Self, Unknown> = match block.label {
            "PUBLIC KEY" => Self::of_spki,
            "CERTIFICATE" => certificate::public_key,
            "RSA PUBLIC KEY" => {
                return Err(got("one in the form of PKCS#1; convert it: \
                     openssl rsa -RSAPublicKey_in -in FILE -pubout -out OTHER"));
            }
            label if label.ends_with("PRIVATE KEY") => return Err(got("a private key")),
            _ => return Err(got("another block")),
        };
        let der = block.decode().map_err(got)?;
        read(&der).map_err(|unknown| got(&unknown.told("public key in DER")))
    }
}
