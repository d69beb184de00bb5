//! Certificates that are read, and inputs that are none.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{env, fs, path::PathBuf, process, time::Duration};

use auth_rustls::{ClientCertificate, auth_core::ErrorKind};
use auth_test_support::log::CapturedLog;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::client::ResolvesClientCert;
use tokio::runtime::{Builder, Handle};

fn certified(name: &str) -> CertifiedKey<KeyPair> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    generate_simple_self_signed([name.to_owned()]).unwrap()
}

/// A certificate and its key, in PEM.
fn pems(name: &str) -> (String, String) {
    let certified = certified(name);
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

fn files(name: &str) -> [PathBuf; 2] {
    ["crt", "key"]
        .map(|kind| env::temp_dir().join(format!("auth-rustls-{name}-{}.{kind}", process::id())))
}

#[test]
fn what_is_no_certificate_or_no_key_is_an_error_that_says_what_it_is() {
    let ((certificate, key), (_, other_key)) = (pems("a"), pems("b"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBs3cr3t==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let two = format!("{key}{other_key}");
    for (certificates, key, told) in [
        (&*key, &*key, "got a section PRIVATE KEY"),
        (&*certificate, &*certificate, "got a section CERTIFICATE"),
        (&*certificate, encrypted, "an encrypted key"),
        (&*certificate, &*two, "got 2 keys"),
        (&*certificate, &*other_key, "got the key of another one"),
        ("", &*key, "an empty text"),
        (&*certificate, "s3cr3t", "got none"),
        (
            &*certificate,
            "-----BEGIN PRIVATE KEY-----\ns3cr3t!\n-----END PRIVATE KEY-----\n",
            "PRIVATE KEY",
        ),
        (
            &*certificate,
            "-----BEGIN PRIVATE KEY-----\nczNjcjN0\n-----END PRIVATE KEY-----\n",
            "crypto provider",
        ),
    ] {
        let error = ClientCertificate::from_pem(certificates, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let text = error.to_string();
        assert!(text.contains(told), "{told}: {text}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("s3cr3t") && !shown.contains("czNjcjN0"),
            "{shown}"
        );
    }
}

/// As a key is written in a `.env` file. The library's parser shows the line in decimal octets.
#[test]
fn an_error_about_a_key_of_one_line_shows_none_of_it() {
    let (certificate, key) = pems("a");
    let line = key.replace('\n', "\\n");
    let cut = key.trim_end().trim_end_matches('-');
    for (certificates, key) in [(&*line, &*key), (&*certificate, &*line), (cut, &*key)] {
        let error = ClientCertificate::from_pem(certificates, key).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("45, 45") && !shown.contains("MIG"),
            "{shown}"
        );
        let told = match certificates == cut {
            true => "malformed PEM",
            false => "the two characters \\n in the place of line breaks",
        };
        assert!(shown.contains(told), "{told}: {shown}");
    }
}

#[test]
fn a_key_encrypted_as_pkcs1_is_named_as_encrypted() {
    let encrypted = include_str!("../../auth-jose/tests/keys/encrypted-pkcs1.pem");
    let error = ClientCertificate::from_pem(&pems("a").0, encrypted).unwrap_err();
    assert!(error.to_string().contains("an encrypted key"), "{error}");
}

#[test]
fn an_indented_key_is_named_as_indented() {
    let (certificate, key) = pems("a");
    let indented: String = key.lines().map(|line| format!("  {line}\n")).collect();
    let error = ClientCertificate::from_pem(&certificate, &indented).unwrap_err();
    let told = "got an indented section PRIVATE KEY; remove the blanks before its lines";
    assert!(error.to_string().contains(told), "{error}");
}

#[test]
fn rfc8705_3_1_the_thumbprint_is_that_of_the_der_encoding() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use sha2::{Digest, Sha256};

    let certified = certified("a");
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let read = ClientCertificate::from_pem(&certificate, &key).unwrap();
    let expected = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certified.cert.der()));
    assert_eq!(read.thumbprint(), expected);
    assert!(!format!("{read:?}").contains("BEGIN"));
}

#[tokio::test]
async fn half_of_a_replacement_is_not_used() {
    let (log, _guard) = CapturedLog::start();
    let ((certificate, key), (next_certificate, next_key)) = (pems("a"), pems("b"));
    let [certificate_file, key_file] = files("half");
    fs::write(&certificate_file, certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    let read = ClientCertificate::from_files(&certificate_file, &key_file).unwrap();
    let first = read.thumbprint();
    assert!(!read.reload().await.unwrap(), "nothing has changed");
    fs::write(&certificate_file, next_certificate).unwrap();
    let error = read.reload().await.unwrap_err().to_string();
    assert!(error.contains("the key of another one"), "{error}");
    assert_eq!(read.thumbprint(), first);
    fs::write(&key_file, next_key).unwrap();
    assert!(read.reload().await.unwrap());
    assert_ne!(read.thumbprint(), first);
    log.assert_contains("client certificate were replaced");
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_is_added_to_the_chain_is_presented() {
    let (certificate, key) = pems("a");
    let [certificate_file, key_file] = files("chain");
    fs::write(&certificate_file, &certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    let read = ClientCertificate::from_files(&certificate_file, &key_file).unwrap();
    fs::write(&certificate_file, certificate + &pems("b").0).unwrap();
    assert!(read.reload().await.unwrap(), "the chain has changed");
    let presented = read.resolve(&[], &[]).unwrap();
    assert_eq!(presented.cert.len(), 2);
    assert!(!read.reload().await.unwrap(), "nothing has changed");
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}

fn current_thread() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all();
    builder
}

/// A connection looks in the runtime in which it is opened.
#[test]
fn a_look_in_a_runtime_that_is_no_longer_driven_keeps_no_other_connection_from_the_new_certificate()
{
    let ((certificate, key), (next_certificate, next_key)) = (pems("a"), pems("b"));
    let [certificate_file, key_file] = files("undriven");
    fs::write(&certificate_file, certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    let read = ClientCertificate::from_files(&certificate_file, &key_file).unwrap();
    let first = read.thumbprint();
    let kept = current_thread().build().unwrap();
    kept.block_on(async { drop(read.resolve(&[], &[])) });
    fs::write(&certificate_file, next_certificate).unwrap();
    fs::write(&key_file, next_key).unwrap();
    let driven = current_thread().start_paused(true).build().unwrap();
    driven.block_on(async {
        tokio::time::advance(Duration::from_secs(60)).await;
        drop(read.resolve(&[], &[]));
        let metrics = Handle::current().metrics();
        while metrics.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert_ne!(read.thumbprint(), first);
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn the_files_of_certificate_and_key_in_place_of_each_other_and_a_file_in_der_are_errors_that_name_them()
 {
    let certified = certified("a");
    let [certificate_file, key_file] = files("swapped");
    fs::write(&certificate_file, certified.cert.pem()).unwrap();
    fs::write(&key_file, certified.signing_key.serialize_pem()).unwrap();
    let error = ClientCertificate::from_files(&key_file, &certificate_file).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "file {}: expected PEM with a section CERTIFICATE, got a section PRIVATE KEY",
            key_file.display()
        )
    );
    fs::write(&key_file, certified.signing_key.serialize_der()).unwrap();
    let error = ClientCertificate::from_files(&certificate_file, &key_file).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "file {}: expected the key of the client certificate in PEM, but it is not UTF-8",
            key_file.display()
        )
    );
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_names_it() {
    let error = ClientCertificate::from_files("/no/such/tls.crt", "/no/such/tls.key");
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("/no/such/tls.crt") && error.contains("client certificate"),
        "{error}"
    );
    let error = ClientCertificate::from_files("opaque-s3cr3t", "/no/such/tls.key").unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("a text of 13 characters") && !shown.contains("s3cr3t"),
        "{shown}"
    );
}
