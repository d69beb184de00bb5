//! Certificates of keys.

use auth_jose::{Certificates, Jwt, Signer, SigningKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::keys::key;

fn header(jwt: &Jwt, key: &SigningKey) -> Value {
    let signed = jwt.sign_now(key).unwrap().unwrap();
    let (header, _) = signed.expose().split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// The expected thumbprint is that of `openssl x509 -fingerprint -sha256`.
#[test]
fn the_thumbprint_of_the_certificate_is_in_the_header() {
    let key = SigningKey::from_pem(key!("p256.pem")).unwrap();
    let key = key.with_certificate_pem(key!("p256-certificate.pem"));
    let key = key.unwrap();
    let thumbprint = "FnWpqNWqIdl4QIRUNCWqXJX2vAj4QipOWAvVgzT9Yr0";
    assert_eq!(key.certificates().unwrap().thumbprint(), thumbprint);
    let header = header(&Jwt::new(), &key);
    assert_eq!(header["x5t#S256"], thumbprint);
    assert!(header.get("x5c").is_none() && header.get("kid").is_none());
}

/// RFC 7515 §4.1.6: base64 with padding, the certificate of the key first.
#[test]
fn the_chain_is_in_the_header_if_it_is_asked_for() {
    let chain = [
        key!("p256-certificate.pem"),
        key!("rsa2048-certificate.pem"),
    ];
    let key = SigningKey::from_pem(key!("p256.pem")).unwrap();
    let key = key.with_certificate_pem(&chain.concat()).unwrap();
    let header = header(&Jwt::new().certificate_chain(), &key);
    let expected = chain.map(|pem| {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        Value::from(lines.collect::<String>())
    });
    assert_eq!(header["x5c"], Value::from(expected.to_vec()));
    let without = SigningKey::from_pem(key!("p256.pem")).unwrap();
    let error = Jwt::new().certificate_chain().sign_now(&without);
    assert_eq!(
        error.unwrap().unwrap_err().to_string(),
        "JWT: expected a signer with certificates for the header x5c"
    );
}

#[test]
fn a_certificate_of_another_key_is_an_error() {
    let key = SigningKey::from_pem(key!("rsa2048.pem")).unwrap();
    let error = key.with_certificate_pem(key!("p256-certificate.pem"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "signing key: expected the certificate of the key, got the certificate of another key; the \
         certificate of the key comes first"
    );
    let key = SigningKey::from_pem(key!("p256.pem")).unwrap();
    let other_first = [
        key!("rsa2048-certificate.pem"),
        key!("p256-certificate.pem"),
    ];
    assert!(key.with_certificate_pem(&other_first.concat()).is_err());
}

#[test]
fn what_is_no_certificate_is_an_error() {
    for (text, got) in [
        ("", "an empty text"),
        (key!("p256.pem"), "a private key"),
        (key!("p256-public.pem"), "PEM without a CERTIFICATE block"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "octets that are no certificate",
        ),
    ] {
        assert_eq!(
            Certificates::from_pem(text).unwrap_err().to_string(),
            format!("certificate: expected a certificate in PEM, got {got}")
        );
    }
}
