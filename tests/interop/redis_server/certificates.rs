//! A CA and a server certificate, which are removed at the end of the test.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// PEM.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) ca: String,
    pub(super) server: String,
    pub(super) server_key: String,
}

impl Certificates {
    /// The server certificate is for 127.0.0.1 and localhost.
    pub(super) fn new() -> Result<Self> {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "redis-ca");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca_certificate = ca.self_signed(&ca_key)?;
        let ca = Issuer::new(ca, ca_key);

        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let mut server = CertificateParams::new(names)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let server = server.signed_by(&key, &ca)?;
        Ok(Self {
            ca: ca_certificate.pem(),
            server: server.pem(),
            server_key: key.serialize_pem(),
        })
    }
}
