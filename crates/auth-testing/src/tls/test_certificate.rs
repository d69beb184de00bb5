//! The certificate of a client.

use std::{fmt, io};

use rcgen::{Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};

use super::thumbprint::thumbprint;

/// The certificate of a client, with its key. `Debug` does not show the key.
#[derive(Clone)]
pub struct TestCertificate {
    certificate: String,
    key: String,
    thumbprint: String,
}

impl TestCertificate {
    /// Creates a certificate that no authority signed (RFC 8705 §2.2).
    ///
    /// # Errors
    /// If the name is not a DNS name, or the operating system returns no random octets.
    pub fn self_signed(dns_name: &str) -> io::Result<Self> {
        let (key, mut params) = Self::parts(dns_name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        Ok(Self::new(&certificate, &key))
    }

    /// Returns the certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Returns the key in PEM (PKCS#8).
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// Returns the thumbprint, `x5t#S256` ([RFC 8705
    /// §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(super) fn parts(dns_name: &str) -> io::Result<(KeyPair, CertificateParams)> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = CertificateParams::new([dns_name.to_owned()]);
        let mut params = params.map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, dns_name);
        Ok((key, params))
    }

    pub(super) fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            thumbprint: thumbprint(certificate.der()),
        }
    }
}

impl fmt::Debug for TestCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCertificate")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}
