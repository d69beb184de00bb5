//! Temporary certificates for TLS on loopback: a CA, a server, two clients.
//!
//! They are made by this program, so that the machine needs no `openssl`.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

/// Writes `NAME.crt` and `NAME.key` (PEM; PKCS #8) for each of `ca`, `server`, `client` and
/// `selfsigned` into `directory`.
pub(crate) fn write(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;

    let mut ca = named("fixture-ca", &[])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate()?;
    save(directory, "ca", &ca.self_signed(&ca_key)?, &ca_key)?;
    let ca = Issuer::new(ca, ca_key);

    let mut server = named("127.0.0.1", &["127.0.0.1", "localhost"])?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    save(directory, "server", &server.signed_by(&key, &ca)?, &key)?;

    // The name under which the authorization server knows `tls-client` (RFC 8705 §2.1).
    let mut client = named("tls-client", &["tls-client.example.test"])?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    save(directory, "client", &client.signed_by(&key, &ca)?, &key)?;

    // The authorization server knows it by its public key (RFC 8705 §2.2), so it is self-signed.
    let selfsigned = named("selfsigned-client", &[])?;
    let key = KeyPair::generate()?;
    save(
        directory,
        "selfsigned",
        &selfsigned.self_signed(&key)?,
        &key,
    )
}

fn named(common_name: &str, alternatives: &[&str]) -> Result<CertificateParams> {
    let alternatives: Vec<_> = alternatives.iter().map(ToString::to_string).collect();
    let mut parameters = CertificateParams::new(alternatives)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    // Without it OpenSSL rejects a certificate that a CA signed (Python's strict verification, RFC 5280 §4.2.1.1).
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn save(directory: &Path, name: &str, certificate: &Certificate, key: &KeyPair) -> Result<()> {
    for (extension, pem) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
        let path = directory.join(name).with_extension(extension);
        fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
