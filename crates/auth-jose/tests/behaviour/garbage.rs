//! No text and no octets make a reader panic.

use auth_jose::{Algorithm, Certificates, PublicJwk, SigningKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::keys::{self, key};

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn read_all(text: &str) {
    let _ = SigningKey::from_pem(text);
    let _ = SigningKey::from_jwk(text);
    let _ = SigningKey::from_pkcs8_der(text.as_bytes());
    let _ = PublicJwk::from_pem(text);
    let _ = PublicJwk::from_jwk(text);
    let _ = PublicJwk::from_spki_der(text.as_bytes());
    let _ = Certificates::from_pem(text);
    let _ = text.parse::<Algorithm>();
}

const LABELS: [&str; 5] = [
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "PUBLIC KEY",
    "CERTIFICATE",
];

const PEMS: [&str; 8] = [
    key!("p256.pem"),
    key!("p256-sec1.pem"),
    key!("p384.pem"),
    key!("ed25519.pem"),
    key!("rsa-pss-sha256.pem"),
    key!("rsa2048-pkcs1.pem"),
    key!("p256-public.pem"),
    key!("p256-certificate.pem"),
];

const TEXTS: [&str; 7] = [
    key!("p256.pem"),
    key!("encrypted-pkcs1.pem"),
    key!("p256-certificate.pem"),
    key!("rfc7515-a2.json"),
    keys::P256,
    keys::OCT,
    keys::ED25519,
];

proptest! {
    #[test]
    fn any_text(text in ".{0,200}") {
        read_all(&text);
    }

    #[test]
    fn any_octets(octets in vec(any::<u8>(), 0..200), label in select(&LABELS[..])) {
        let _ = SigningKey::from_pkcs8_der(&octets);
        let _ = PublicJwk::from_spki_der(&octets);
        read_all(&pem(label, &octets));
    }

    /// A key of which some octets are others, in a block of any label.
    #[test]
    fn changed_octets(
        of in select(&PEMS[..]),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.2),
        label in select(&LABELS[..]),
    ) {
        let mut octets = der(of);
        for (place, octet) in changes {
            let place = place.index(octets.len());
            octets[place] = octet;
        }
        if is_cut {
            octets.truncate(cut.index(octets.len()));
        }
        let _ = SigningKey::from_pkcs8_der(&octets);
        let _ = PublicJwk::from_spki_der(&octets);
        read_all(&pem(label, &octets));
    }

    #[test]
    fn changed_texts(
        of in select(&TEXTS[..]),
        changes in vec((any::<prop::sample::Index>(), any::<char>()), 0..4),
    ) {
        let mut text: Vec<char> = of.chars().collect();
        for (place, c) in changes {
            let place = place.index(text.len());
            text[place] = c;
        }
        read_all(&text.into_iter().collect::<String>());
    }
}
