//! Reads the PEM files of a certificate and its key (RFC 7468).

use std::sync::Arc;

use auth_core::Error;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// Returns the certificates of a PEM text, the client's own first, with the key of another one.
/// `places` name both texts in errors.
pub(crate) fn certified_key(
    certificates: &str,
    key: &str,
    places: [&str; 2],
) -> Result<CertifiedKey, Error> {
    let [certificates_place, key_place] = places;
    let chain = chain(certificates).map_err(|what| invalid(certificates_place, &what))?;
    let key = private_key(key).map_err(|what| invalid(key_place, &what))?;
    let provider = provider()?;
    let key = provider
        .key_provider
        .load_private_key(key)
        // its text may show the key's type, and never its octets
        .map_err(|error| {
            let what = "expected a private key that the crypto provider of rustls can use, got another one";
            invalid(key_place, what).with_source(error)
        })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // a key that does not tell its public part, as one of a hardware module, is not compared
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(error) => {
            let what = format!(
                "expected the key of the first certificate in {certificates_place}, got the key of another one"
            );
            Err(invalid(key_place, &what).with_source(error))
        }
    }
}

fn invalid(place: &str, what: &str) -> Error {
    Error::configuration(format!("{place}: {what}"))
}

fn provider() -> Result<Arc<CryptoProvider>, Error> {
    CryptoProvider::get_default().cloned().ok_or_else(|| {
        Error::configuration(
            "rustls: expected a crypto provider of the process, got none; call install_default of one, \
             such as rustls::crypto::ring::default_provider(), before the certificate is read",
        )
    })
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let expected = "expected PEM with a section CERTIFICATE";
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    // the parser's error may show a line of the text, which may be a key
    let chain = chain.map_err(|_| format!("{expected}, got {}", malformed(pem)))?;
    match chain.is_empty() {
        false => Ok(chain),
        true => Err(format!("{expected}, got {}", contents(pem))),
    }
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    let expected = "expected PEM with one section PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY";
    let keys: Result<Vec<_>, _> = PrivateKeyDer::pem_slice_iter(pem.as_bytes()).collect();
    // the parser's error may show a line of the key
    let mut keys = keys.map_err(|_| format!("{expected}, got {}", malformed(pem)))?;
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        (None, _) => Err(format!("{expected}, got {}", contents(pem))),
        (Some(_), others) => Err(format!("{expected}, got {} keys", others + 1)),
    }
}

const ENCRYPTED: &str = "an encrypted key; decrypt it: openssl pkey -in FILE -out OTHER";

/// Says what is wrong with a text that cannot be parsed, without showing it.
fn malformed(pem: &str) -> &'static str {
    // headers of the form of PKCS#1 (RFC 1421 §4.6.1.1)
    if pem.contains("Proc-Type:") && pem.contains("ENCRYPTED") {
        ENCRYPTED
    } else if pem.contains("\\n") {
        "PEM with the two characters \\n in the place of line breaks; replace them"
    } else {
        "malformed PEM"
    }
}

/// Says what a text has in place of what was expected, without showing it.
fn contents(pem: &str) -> String {
    let label = pem.lines().find_map(|line| {
        let start = line.trim_start();
        let label = start.strip_prefix("-----BEGIN ")?;
        let label = label.trim_end().strip_suffix("-----")?;
        let is_label = label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
        is_label.then_some((label, start.len() < line.len()))
    });
    match label {
        Some(("ENCRYPTED PRIVATE KEY", _)) => ENCRYPTED.to_owned(),
        Some((label, false)) => format!("a section {label}"),
        Some((label, true)) => {
            format!("an indented section {label}; remove the blanks before its lines")
        }
        None if pem.is_empty() => "an empty text".to_owned(),
        None => "none".to_owned(),
    }
}
