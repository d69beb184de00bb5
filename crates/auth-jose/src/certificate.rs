//! Certificates (RFC 5280), as far as a JWT's header needs them.

use std::fmt;

use auth_core::Error;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};

use crate::{base64url, der, fault::invalid, key_type::Unknown, pem, public_jwk::PublicJwk};

const WHAT: &str = "certificate";

/// The certificate of a signer's key, and the chain that issued it.
///
/// Its thumbprint becomes the header `x5t#S256` of a JWT ([RFC 7515
/// §4.1.8](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.8)), and the whole chain `x5c` (§4.1.6) of a
/// JWT that asks for it. Neither the issuers nor the dates are checked.
///
/// [`SigningKey::with_certificate_pem`](crate::SigningKey::with_certificate_pem) reads them for a key in
/// memory. A [`Signer`](crate::Signer) of your own returns them from
/// [`certificates`](crate::Signer::certificates).
///
/// ```
/// use auth_jose::Certificates;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let certificates = Certificates::from_pem(&std::fs::read_to_string("/run/tls/tls.crt")?)?;
/// println!("x5t#S256 is {}", certificates.thumbprint());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Certificates {
    /// base64 of DER, the certificate of the key first.
    chain: Vec<String>,
    thumbprint: String,
    public_key: PublicJwk,
}

impl Certificates {
    /// Reads PEM: the certificate of the key, then those that issued it, each by the next. A private key
    /// beside them is ignored.
    ///
    /// # Errors
    /// If there is no certificate, or the key of the first is of a type that no
    /// [`Algorithm`](crate::Algorithm) is for.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let got = |got: &str| invalid(WHAT, format!("expected a certificate in PEM, got {got}"));
        let blocks = pem::blocks(text).map_err(got)?;
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let chain = certificates.map(|block| Ok(block.decode()?.to_vec()));
        let chain: Vec<Vec<u8>> = chain.collect::<Result<_, _>>().map_err(got)?;
        let Some(first) = chain.first() else {
            let is_private = |block: &pem::Block<'_>| block.label.ends_with("PRIVATE KEY");
            return Err(got(if blocks.iter().any(is_private) {
                "a private key"
            } else {
                "PEM without a CERTIFICATE block"
            }));
        };
        let public_key = public_key(first).map_err(|unknown| got(&unknown.told("certificate")))?;
        Ok(Self {
            chain: chain.iter().map(|der| STANDARD.encode(der)).collect(),
            thumbprint: base64url::encode(digest(&SHA256, first)),
            public_key,
        })
    }

    /// Returns the thumbprint of the first certificate by SHA-256, in base64url: `x5t#S256`.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Returns the public key of the first certificate.
    #[must_use]
    pub fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    /// Returns the chain in base64, the certificate of the key first: `x5c`.
    pub(crate) fn chain(&self) -> &[String] {
        &self.chain
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("thumbprint", &self.thumbprint)
            .field("length", &self.chain.len())
            .finish()
    }
}

/// Returns the public key of a certificate in DER.
pub(crate) fn public_key(certificate: &[u8]) -> Result<PublicJwk, Unknown> {
    let info = der::whole(certificate, der::SEQUENCE, |reader| {
        let info = der::nested(reader, der::SEQUENCE, |reader| {
            der::optional(reader, der::CONTEXT_0)?; // version
            der::value(reader, der::INTEGER)?; // serial number
            for _signature_issuer_validity_subject in 0..4 {
                der::value(reader, der::SEQUENCE)?;
            }
            let (info, _) = reader.read_partial(|reader| der::value(reader, der::SEQUENCE))?;
            reader.skip_to_end(); // extensions
            Ok(info)
        })?;
        reader.skip_to_end(); // the issuer's signature
        Ok(info)
    })?;
    PublicJwk::of_spki(info.as_slice_less_safe())
}
