use std::fs;

use auth_redis::{RedisStore, auth_core::shared_store::SharedTokenStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::redis_store::{
    fixture::{key, secret, token},
    server::{Server, free_port},
    temporary_directory::TemporaryDirectory,
};

/// Returns the PEM of a certificate authority, and files with a certificate and a key for `localhost`.
fn certificates(directory: &TemporaryDirectory) -> (String, String, String) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap().pem();
    let names = ["localhost".to_owned()];
    let issuer = Issuer::new(ca, ca_key);
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer);
    let files = (directory.file("certificate"), directory.file("key"));
    fs::write(&files.0, leaf.unwrap().pem()).unwrap();
    fs::write(&files.1, key.serialize_pem()).unwrap();
    (root, files.0, files.1)
}

#[tokio::test]
async fn a_store_connects_over_tls_and_verifies_the_certificate() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = TemporaryDirectory::new();
    let (root, certificate, key_file) = certificates(&directory);
    let port = free_port();
    let _server = Server::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key_file,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let url = format!("rediss://localhost:{port}");
    let trusting = RedisStore::builder(&url)
        .danger_plaintext(true)
        .root_certificate(root);
    let store = trusting.build().unwrap();
    store.save(&key(), &token("abc", 0)).await.unwrap();
    let found = store.load(&key()).await.unwrap();
    assert_eq!(secret(found.as_ref()), Some("abc"));

    // an authority that did not sign the certificate
    let (another, ..) = certificates(&TemporaryDirectory::new());
    let distrusting = RedisStore::builder(&url)
        .danger_plaintext(true)
        .root_certificate(another);
    let error = distrusting
        .build()
        .unwrap()
        .load(&key())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[test]
fn a_root_certificate_without_tls_or_without_a_certificate_is_an_error() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let build_error = |url: &str| {
        let store = RedisStore::builder(url)
            .danger_plaintext(true)
            .root_certificate("none");
        store.build().unwrap_err().to_string()
    };
    let error = build_error("redis://localhost");
    assert!(error.contains("rediss://"), "{error}");
    let error = build_error("rediss://:s3cr3t@localhost");
    assert!(
        error.contains("in PEM") && !error.contains("s3cr3t"),
        "{error}"
    );
}
