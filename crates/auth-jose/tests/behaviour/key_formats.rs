//! The forms in which a key may be given.

use auth_jose::{Algorithm, PublicJwk, Signer, SigningKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::keys::{self, key};

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

#[test]
fn a_key_is_the_same_in_each_form() {
    for (one, other) in [
        (key!("p256.pem"), key!("p256-sec1.pem")),
        (key!("rsa2048.pem"), key!("rsa2048-pkcs1.pem")),
    ] {
        let of_pem = SigningKey::from_pem(one).unwrap();
        let of_other = SigningKey::from_pem(other).unwrap();
        let of_der = SigningKey::from_pkcs8_der(&der(one)).unwrap();
        assert_eq!(of_pem.public_jwk(), of_other.public_jwk());
        assert_eq!(of_pem.public_jwk(), of_der.public_jwk());
    }
    for (private, public) in [
        (key!("p256.pem"), key!("p256-public.pem")),
        (key!("rsa2048.pem"), key!("rsa2048-public.pem")),
        (key!("rsa2048.pem"), key!("rsa2048-certificate.pem")),
        (key!("ed25519.pem"), key!("ed25519-certificate.pem")),
    ] {
        let private = SigningKey::from_pem(private).unwrap();
        let public = PublicJwk::from_pem(public).unwrap();
        assert_eq!(private.public_jwk(), Some(&public));
        let jwk = PublicJwk::from_jwk(&public.to_string()).unwrap();
        assert_eq!(jwk, public);
    }
    let of_jwk = SigningKey::from_jwk(key!("p384.json")).unwrap();
    let of_pem = SigningKey::from_pem(key!("p384.pem")).unwrap();
    assert_eq!(of_jwk.public_jwk(), of_pem.public_jwk());
    let spki = PublicJwk::from_spki_der(&der(key!("p256-public.pem"))).unwrap();
    let public = PublicJwk::from_pem(key!("p256-public.pem")).unwrap();
    assert_eq!(spki, public);
}

#[test]
fn the_type_of_a_key_decides_its_algorithm() {
    use Algorithm::{EdDsa, Es256, Es384, Hs256, Ps256, Rs256};

    for (key, default, others) in [
        (SigningKey::from_pem(key!("p256.pem")), Es256, &[][..]),
        (SigningKey::from_pem(key!("p384.pem")), Es384, &[]),
        (SigningKey::from_pem(key!("rsa2048.pem")), Rs256, &[Ps256]),
        (SigningKey::from_pem(key!("rsa-pss.pem")), Ps256, &[]),
        (SigningKey::from_pem(key!("rsa-pss-sha256.pem")), Ps256, &[]),
        (SigningKey::from_pem(key!("ed25519.pem")), EdDsa, &[]),
        (
            SigningKey::from_jwk(keys::OCT),
            Hs256,
            &[Algorithm::Hs384, Algorithm::Hs512],
        ),
    ] {
        let key = key.unwrap();
        assert_eq!(key.algorithm(), default);
        for algorithm in [
            Es256,
            Es384,
            Ps256,
            Rs256,
            EdDsa,
            Hs256,
            Algorithm::Hs384,
            Algorithm::Hs512,
        ] {
            let fits = algorithm == default || others.contains(&algorithm);
            let changed = key.clone().with_algorithm(algorithm);
            assert_eq!(changed.is_ok(), fits, "{key:?} {algorithm}");
            if let Ok(changed) = changed {
                assert_eq!(changed.algorithm(), algorithm);
            }
        }
    }
}

#[test]
fn a_jwk_names_its_algorithm_and_its_key_id() {
    let rsa = key!("rfc7520-3-4.json").replacen('{', r#"{"alg":"PS256","#, 1);
    let key = SigningKey::from_jwk(&rsa).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ps256);
    assert_eq!(key.key_id(), Some("bilbo.baggins@hobbiton.example"));
    let key = key.with_key_id("other").unwrap();
    assert_eq!(key.key_id(), Some("other"));
}

/// As many programs keep them.
#[test]
fn a_text_may_hold_the_key_with_its_certificate() {
    let both = format!("{}\n{}", key!("p256-certificate.pem"), key!("p256.pem"));
    let key = SigningKey::from_pem(&both).unwrap();
    let key = key.with_certificate_pem(&both).unwrap();
    assert!(key.certificates().is_some());
}

/// OpenSSL's `ecparam -genkey` writes the parameters in front of the key.
#[test]
fn parameters_in_front_of_an_ec_key_are_ignored() {
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let pem = format!("{parameters}{}", key!("p256-sec1.pem"));
    assert!(SigningKey::from_pem(&pem).is_ok());
}

/// Some encoders write a zero in front of an RSA number whose highest bit is set.
#[test]
fn a_zero_in_front_of_an_rsa_number_is_ignored() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let mut jwk: serde_json::Value = serde_json::from_str(key!("rfc7515-a2.json")).unwrap();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    jwk["n"] = URL_SAFE_NO_PAD.encode([&[0], n.as_slice()].concat()).into();
    let padded = SigningKey::from_jwk(&jwk.to_string()).unwrap();
    let key = SigningKey::from_jwk(key!("rfc7515-a2.json")).unwrap();
    assert_eq!(padded.public_jwk(), key.public_jwk());
}
