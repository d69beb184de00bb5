//! A certificate authority of a test.

use std::{fmt, io, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::test_certificate::TestCertificate;

/// A certificate authority of a test: it signs the certificates of the servers on 127.0.0.1, and those of clients.
/// Clones are the same authority.
///
/// ```
/// use auth_testing::TestAuthority;
///
/// # fn main() -> std::io::Result<()> {
/// let authority = TestAuthority::new()?;
/// let client = authority.client_certificate("orders.example")?;
/// // what the HTTP client trusts, and what it presents
/// let (root, certificate, key) = (authority.pem(), client.certificate_pem(), client.key_pem());
/// # assert!(root.starts_with("-----BEGIN CERTIFICATE") && certificate != root && key.contains("PRIVATE"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestAuthority(Arc<CertifiedIssuer<'static, KeyPair>>);

impl TestAuthority {
    /// Creates an authority with a new key.
    ///
    /// # Errors
    /// If the operating system returns no random octets.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "auth-testing");
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        Ok(Self(Arc::new(issuer)))
    }

    /// Returns the certificate of the authority in PEM, which the HTTP client has to trust.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate to a client.
    ///
    /// # Errors
    /// If the name is not a DNS name, or the operating system returns no random octets.
    pub fn client_certificate(&self, dns_name: &str) -> io::Result<TestCertificate> {
        let (key, mut params) = TestCertificate::parts(dns_name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0).map_err(io::Error::other)?;
        Ok(TestCertificate::new(&certificate, &key))
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// Issues a certificate to a server on loopback.
    pub(super) fn server_certificate(
        &self,
    ) -> io::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0).map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        Ok((certificate.der().clone(), key))
    }
}

/// Does not show the key.
impl fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAuthority").finish_non_exhaustive()
    }
}
