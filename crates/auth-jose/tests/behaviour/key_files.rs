//! Keys in files.

use std::{fs, path::PathBuf, process};

use auth_jose::{
    Algorithm, KeyFile, PrivateKeyJwt, Signer,
    auth_core::{AssertionContext, AssertionSource, ErrorKind},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::keys::{self, key};

/// A file that is removed at the end of the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auth-jose-key-{name}-{}", process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_an_unchanged_one_is_the_same_key() {
    let file = Temporary::new("again", key!("p256.pem"));
    let keys = KeyFile::new(&file.0).unwrap();
    let first = keys.current().await.unwrap();
    assert_eq!(first.algorithm(), Algorithm::Es256);
    let same = keys.current().await.unwrap();
    assert_eq!(same.public_jwk(), first.public_jwk());
    file.write(keys::ED25519);
    let second = keys.current().await.unwrap();
    assert_eq!(second.algorithm(), Algorithm::EdDsa);
    file.write(key!("p256.pem"));
    let third = keys.clone().current().await.unwrap();
    assert_eq!(third.public_jwk(), first.public_jwk());
}

#[tokio::test]
async fn settings_hold_for_each_key_of_the_file() {
    let file = Temporary::new("settings", key!("rsa2048.pem"));
    let keys = KeyFile::new(&file.0).unwrap();
    let keys = keys.with_algorithm(Algorithm::Ps256).unwrap();
    let by_thumbprint = keys.clone().with_key_id_from_thumbprint().unwrap();
    let keys = keys.with_key_id("key-1").unwrap();
    for text in [key!("rsa2048.pem"), key!("rfc7515-a2.json")] {
        file.write(text);
        let key = keys.current().await.unwrap();
        assert_eq!(key.algorithm(), Algorithm::Ps256);
        assert_eq!(key.key_id(), Some("key-1"));
        let key = by_thumbprint.current().await.unwrap();
        let thumbprint = key.public_jwk().unwrap().thumbprint();
        assert_eq!(key.key_id(), Some(thumbprint.as_str()));
    }
    // a key that the settings do not fit
    file.write(key!("p256.pem"));
    let error = keys.current().await.unwrap_err();
    assert!(error.is_transient(), "the file may be in rotation");
    assert!(
        error
            .to_string()
            .ends_with("signing key: expected a key for PS256, got a key of type P-256"),
        "{error}"
    );
}

#[tokio::test]
async fn the_certificate_is_read_from_the_same_file() {
    let both = |key: &str, certificate: &str| format!("{key}{certificate}");
    let first = both(key!("p256.pem"), key!("p256-certificate.pem"));
    let file = Temporary::new("certificate", &first);
    let keys = KeyFile::new(&file.0).unwrap().with_certificate_of_file();
    let keys = keys.unwrap();
    let thumbprint = |key: &dyn Signer| key.certificates().unwrap().thumbprint().to_owned();
    let one = thumbprint(&keys.current().await.unwrap());
    file.write(&both(key!("rsa2048.pem"), key!("rsa2048-certificate.pem")));
    assert_ne!(thumbprint(&keys.current().await.unwrap()), one);
    // in the middle of a rotation
    file.write(&both(key!("rsa2048.pem"), key!("p256-certificate.pem")));
    let error = keys.current().await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("certificate"));
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_that_names_it() {
    for (name, text, told) in [
        (
            "empty",
            "",
            "expected the signing key in PEM or as a JWK, but it is empty",
        ),
        (
            "certificate",
            key!("p256-certificate.pem"),
            "signing key: expected one private key in PEM, got a certificate; give it to \
             with_certificate_pem",
        ),
        (
            "jwk",
            "{",
            "signing key: expected one JWK as a JSON object, got a text that is no JSON at line 1, column 1",
        ),
        (
            "large",
            &"a".repeat(70_000),
            "expected the signing key in PEM or as a JWK, but it is larger than 64 KiB",
        ),
    ] {
        let file = Temporary::new(&format!("bad-{name}"), text);
        let expected = format!("file {}: {told}", file.0.display());
        let error = KeyFile::new(&file.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.to_string(), expected);
        // and later
        file.write(key!("p256.pem"));
        let keys = KeyFile::new(&file.0).unwrap();
        file.write(text);
        let error = keys.current().await.unwrap_err();
        assert!(error.is_transient());
        assert_eq!(error.to_string(), expected);
        file.write(key!("p256.pem"));
        assert!(keys.current().await.is_ok());
    }
    let error = KeyFile::new("/no/such/key.pem").unwrap_err();
    assert_eq!(
        error.to_string(),
        "file /no/such/key.pem: expected the signing key in PEM or as a JWK, but it cannot be read"
    );
}

#[test]
fn a_key_in_der_is_an_error_that_names_the_expected_forms() {
    let file = Temporary::new("der", "");
    let lines = key!("p256.pem").lines();
    let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
    fs::write(&file.0, STANDARD.decode(body).unwrap()).unwrap();
    assert_eq!(
        KeyFile::new(&file.0).unwrap_err().to_string(),
        format!(
            "file {}: expected the signing key in PEM or as a JWK, but it is not UTF-8",
            file.0.display()
        )
    );
    let error = KeyFile::new("opaque-s3cr3t").unwrap_err();
    assert!(
        error.to_string().contains("a text of 13 characters"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
}

#[tokio::test]
async fn a_changed_key_is_another_version_of_the_assertions() {
    let file = Temporary::new("version", key!("p256.pem"));
    let source = PrivateKeyJwt::new(KeyFile::new(&file.0).unwrap()).unwrap();
    let context = AssertionContext::new("https://as.example/token").with_client_id("a");
    let first = source.assertion(&context).await.unwrap();
    assert!(first.version().is_some());
    assert_eq!(source.version().await, first.version());
    file.write(key!("p384.pem"));
    assert_ne!(source.version().await, first.version());
    let second = source.assertion(&context).await.unwrap();
    assert_eq!(source.version().await, second.version());
    // a key that may not sign this kind of assertion
    file.write(r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#);
    let error = source.assertion(&context).await.unwrap_err();
    assert!(error.to_string().contains("expected an asymmetric key"));
}

#[cfg(unix)]
#[test]
fn a_file_that_other_users_may_read_draws_one_warning_without_the_key() {
    use std::os::unix::fs::PermissionsExt as _;

    use auth_test_support::log::CapturedLog;

    for (mode, expected) in [(0o600, 0), (0o640, 0), (0o644, 1)] {
        let file = Temporary::new(&format!("mode-{mode:o}"), keys::P256);
        fs::set_permissions(&file.0, fs::Permissions::from_mode(mode)).unwrap();
        let (log, guard) = CapturedLog::start();
        let keys = KeyFile::new(&file.0).unwrap();
        let keys = keys.with_key_id_from_thumbprint().unwrap();
        drop(guard);
        let text = log.text();
        assert_eq!(
            text.matches("chmod 600").count(),
            expected,
            "{mode:o} {text}"
        );
        assert!(!text.contains("jpsQ"), "{text}");
        drop(keys);
    }
}

#[test]
fn debug_shows_the_path_and_no_key() {
    let file = Temporary::new("debug", keys::P256);
    let keys = KeyFile::new(&file.0).unwrap();
    let shown = format!("{keys:?}");
    assert!(shown.contains("auth-jose-key-debug") && shown.contains("Es256"));
    assert!(!shown.contains("jpsQ"), "{shown}");
}
