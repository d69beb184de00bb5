//! Each kind of bad input is an error at construction, whose text says what was expected, what came, and what
//! to do.

use auth_jose::{Algorithm, PublicJwk, SigningKey, auth_core::ErrorKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::keys::{self, key};

/// Returns the octets of a PEM text.
fn octets(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn refused(read: Result<impl std::fmt::Debug, auth_jose::auth_core::Error>) -> String {
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn pem() {
    let cut = key!("p256.pem").split_at(100).0;
    let two = format!("{}{}", key!("p256.pem"), key!("p384.pem"));
    let escaped = key!("p256.pem").replace('\n', "\\n");
    let no_base64 = key!("p256.pem").replacen('M', "!", 1);
    let csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----";
    let dsa = "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----";
    let octets = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----";
    let pkcs1 = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----";
    let rows: [(&str, &str); 24] = [
        ("", "an empty text"),
        ("\n", "an empty text"),
        ("c2VjcmV0", "a text without a BEGIN line"),
        (keys::P256, "JSON; read a JWK by from_jwk"),
        (cut, "PEM without its END line; the text is cut"),
        (&no_base64, "PEM whose body is not base64"),
        (
            &escaped,
            "PEM with the two characters \\n in the place of line breaks; replace them",
        ),
        (
            key!("p256-certificate.pem"),
            "a certificate; give it to with_certificate_pem",
        ),
        (key!("p256-public.pem"), "a public key"),
        (key!("rsa2048-pkcs1-public.pem"), "a public key"),
        (csr, "PEM without a PRIVATE KEY block"),
        (
            key!("encrypted.pem"),
            "an encrypted key; decrypt it: openssl pkey -in FILE -out OTHER",
        ),
        (
            key!("encrypted-pkcs1.pem"),
            "an encrypted key; decrypt it: openssl pkey -in FILE -out OTHER",
        ),
        (
            key!("openssh.pem"),
            "a key in the form of OpenSSH; convert a key of RSA or EC: ssh-keygen -p -m PKCS8 -f FILE",
        ),
        (
            dsa,
            "a private key of another kind; convert it: openssl pkey -in FILE -out OTHER",
        ),
        (&two, "two or more private keys"),
        (octets, "octets that are no PKCS#8 private key"),
        (sec1, "octets that are no EC private key"),
        (pkcs1, "octets that are no RSA private key"),
        (key!("p521.pem"), "a key on the curve P-521"),
        (key!("x25519.pem"), "a key for X25519, which does not sign"),
        (
            key!("rsa1024.pem"),
            "an RSA key of 1024 bits; expected 2048 to 4096 bits",
        ),
        (
            key!("rsa-pss-sha512.pem"),
            "a key for RSASSA-PSS with parameters other than those of PS256",
        ),
        (
            key!("p256-no-public.pem"),
            "an EC key without its public key in full; add it: openssl ec -in FILE -conv_form uncompressed \
             -out OTHER",
        ),
    ];
    for (text, got) in rows {
        assert_eq!(
            refused(SigningKey::from_pem(text)),
            format!("signing key: expected one private key in PEM, got {got}")
        );
    }
}

#[test]
fn der() {
    let command = "convert it: openssl pkey -in FILE -out OTHER";
    for (der, got) in [
        (vec![], "no octets".into()),
        (vec![0; 40], "octets that are no PKCS#8 private key".into()),
        (
            octets(key!("rsa2048-pkcs1.pem")),
            format!("a key in the form of PKCS#1; {command}"),
        ),
        (
            octets(key!("p256-sec1.pem")),
            format!("a key in the form of SEC1; {command}"),
        ),
        (
            key!("p256.pem").into(),
            "PEM; read it by from_pem".to_owned(),
        ),
        (
            octets(key!("p256-certificate.pem")),
            "octets that are no PKCS#8 private key".into(),
        ),
    ] {
        assert_eq!(
            refused(SigningKey::from_pkcs8_der(&der)),
            format!("signing key: expected a private key in PKCS#8, got {got}")
        );
    }
}

/// Returns an example key with `from` replaced.
fn changed(key: &str, from: &str, to: &str) -> String {
    assert!(key.contains(from));
    key.replacen(from, to, 1)
}

#[test]
fn jwk() {
    let rsa = key!("rfc7515-a2.json");
    let rows: [(String, &str); 28] = [
        (String::new(), "one JWK as a JSON object, got an empty text"),
        (
            key!("p256.pem").into(),
            "one JWK as a JSON object, got PEM; read it by from_pem",
        ),
        (
            "{\"kty\":\n\"EC\",".into(),
            "one JWK as a JSON object, got a text that is no JSON at line 2, column 5",
        ),
        (
            "\"s3cr3t\"".into(),
            "one JWK as a JSON object, got another JSON value",
        ),
        (
            format!("{{\"keys\":[{}]}}", keys::P256),
            "one JWK as a JSON object, got a JWK set; take the one key out of it",
        ),
        ("{}".into(), "the member \"kty\", which is missing"),
        (
            r#"{"kty":7}"#.into(),
            "a text as member \"kty\", got another JSON value",
        ),
        (
            r#"{"kty":"ec"}"#.into(),
            "\"EC\", \"RSA\", \"OKP\" or \"oct\" as member \"kty\", got \"ec\"",
        ),
        (
            changed(keys::P256, "P-256", "P-521"),
            "\"P-256\" or \"P-384\" as member \"crv\", got \"P-521\"",
        ),
        (
            changed(keys::ED25519, "Ed25519", "X25519"),
            "\"Ed25519\" as member \"crv\", got \"X25519\"",
        ),
        (
            changed(keys::P256, "\"d\"", "\"D\""),
            "a private key, got a public one: the member \"d\" is missing",
        ),
        (
            changed(keys::P256, "\"x\"", "\"X\""),
            "the member \"x\", which is missing",
        ),
        (
            changed(keys::P256, "jpsQ", "jps="),
            "base64url without padding as member \"d\", got another text",
        ),
        (
            changed(keys::P256, "jpsQ", ""),
            "32 octets as member \"d\", got 29",
        ),
        (
            changed(keys::P256, "jpsQ", "AAAA"),
            "a private key, got a key whose parts contradict each other",
        ),
        (
            changed(keys::ED25519, "nWGx", "AAAA"),
            "a private key, got a key whose parts contradict each other",
        ),
        (
            changed(rsa, "\"p\"", "\"P\""),
            "the member \"p\", which is missing",
        ),
        (
            changed(rsa, "4BzE", "4BzF"),
            "a private key, got a key whose parts contradict each other",
        ),
        // only a signature shows the contradiction
        (
            changed(rsa, "\"dp\": \"BwKf", "\"dp\": \"BwKg"),
            "a private key, got a key whose parts contradict each other",
        ),
        (
            changed(rsa, "{", r#"{"oth":[],"#),
            "a private key, got an RSA key of more than two primes",
        ),
        (
            changed(rsa, "\"AQAB\"", "\"Aw\""),
            "a private key, got an RSA key whose public exponent is less than 65537",
        ),
        (
            changed(rsa, "\"ofgWC", "\"AfgWC"),
            "a private key, got an RSA key of 2041 bits; expected 2048 to 4096 bits",
        ),
        (
            changed(keys::P256, "{", r#"{"use":"enc","#),
            "\"sig\" as member \"use\", got \"enc\"",
        ),
        (
            changed(keys::P256, "{", r#"{"key_ops":["verify"],"#),
            "\"sign\" in the list \"key_ops\"",
        ),
        (
            changed(keys::P256, "{", r#"{"alg":"ES384","#),
            "a key for ES384, got a key of type P-256",
        ),
        (
            changed(keys::P256, "{", r#"{"kid":"","#),
            "a key id of 1 to 1024 octets, got an empty text",
        ),
        (
            changed(keys::P256, "{", r#"{"kid":7,"#),
            "a text as member \"kid\", got another JSON value",
        ),
        (
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.into(),
            "a secret of at least 32 octets for HS256, got a shorter one",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(
            refused(SigningKey::from_jwk(&text)),
            format!("signing key: expected {expected}")
        );
    }
    let unknown = changed(keys::P256, "{", r#"{"alg":"RS512","#);
    assert_eq!(
        refused(SigningKey::from_jwk(&unknown)),
        "signing key: algorithm: expected one of ES256, ES384, PS256, RS256, EdDSA, HS256, HS384, HS512, \
         got \"RS512\""
    );
}

/// RFC 7518 §3.2
#[test]
fn secrets_that_are_shorter_than_the_hash() {
    for (algorithm, length) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        assert!(SigningKey::hmac(&vec![7; length], algorithm).is_ok());
        assert_eq!(
            refused(SigningKey::hmac(&vec![7; length - 1], algorithm)),
            format!(
                "signing key: expected a secret of at least {length} octets for {algorithm}, got a shorter \
                 one"
            )
        );
    }
}

#[test]
fn settings_that_do_not_fit_the_key() {
    let hmac = || SigningKey::hmac(&[7; 32], Algorithm::Hs256).unwrap();
    let p256 = || SigningKey::from_pem(key!("p256.pem")).unwrap();
    for (refused, told) in [
        (
            refused(p256().with_algorithm(Algorithm::Rs256)),
            "expected a key for RS256, got a key of type P-256",
        ),
        (
            refused(hmac().with_algorithm(Algorithm::Es256)),
            "expected a key for ES256, got a key of type symmetric",
        ),
        (
            refused(hmac().with_algorithm(Algorithm::Hs512)),
            "expected a secret of at least 64 octets for HS512, got a shorter one",
        ),
        (
            refused(SigningKey::hmac(&[7; 64], Algorithm::Rs256)),
            "expected a key for RS256, got a key of type symmetric",
        ),
        (
            refused(hmac().with_key_id_from_thumbprint()),
            "expected an asymmetric key for a thumbprint, got a symmetric one",
        ),
        (
            refused(p256().with_key_id("a\nb")),
            "expected a key id of 1 to 1024 octets, got a text with a control character",
        ),
        (
            refused(p256().with_key_id(&"a".repeat(1025))),
            "expected a key id of 1 to 1024 octets, got a longer text",
        ),
        (
            refused(SigningKey::generate(Algorithm::Rs256)),
            "expected ES256, ES384 or EdDSA to generate a key for, got RS256",
        ),
    ] {
        assert_eq!(refused, format!("signing key: {told}"));
    }
}

#[test]
fn public_keys() {
    let two = format!("{0}{0}", key!("p256-public.pem"));
    let compressed = "-----BEGIN PUBLIC KEY-----\nMDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n6e8Tus9uPHvRVEU=\n-----END PUBLIC KEY-----";
    for (text, got) in [
        ("", "an empty text"),
        (key!("p256.pem"), "a private key"),
        (&two, "several blocks"),
        (
            key!("rsa2048-pkcs1-public.pem"),
            "one in the form of PKCS#1; convert it: openssl rsa -RSAPublicKey_in -in FILE -pubout -out OTHER",
        ),
        (
            compressed,
            "a key with a compressed point; write it in full: openssl ec -pubin -in FILE -conv_form \
             uncompressed -out OTHER",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "octets that are no public key in DER",
        ),
    ] {
        assert_eq!(
            refused(PublicJwk::from_pem(text)),
            format!("public key: expected one in PEM, got {got}")
        );
    }
    // 6, x, y: the hybrid form of X9.62
    let mut hybrid = octets(key!("p256-public.pem"));
    assert_eq!(std::mem::replace(&mut hybrid[26], 6), 4);
    assert!(
        refused(PublicJwk::from_spki_der(&hybrid)).contains("got a key with a compressed point")
    );
    assert_eq!(
        refused(PublicJwk::from_jwk(keys::OCT)),
        "public key: expected a public key, got a symmetric one"
    );
    assert_eq!(
        refused(PublicJwk::from_spki_der(&[])),
        "public key: expected one in DER, got octets that are no SubjectPublicKeyInfo in DER"
    );
}
