//! Reads of secret files: what is read, and who may read it.

#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{self, Command},
};

use auth_core::{
    AssertionFile, ClientAuthentication, ClientCredentials, ClientSecret, TokenRequest, TokenSource,
};
use auth_test_support::with_timeout;

use crate::{captured_log::CapturedLog, recording_transport::Recording};

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("auth-core-files-{name}-{}", process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn write(path: &PathBuf, content: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn grant(secret: ClientSecret) -> ClientCredentials {
    ClientCredentials::builder("https://as.example/token", "id", secret.into())
        .build(Recording::issuing())
        .unwrap()
}

#[test]
fn secret_file_that_is_no_regular_file_is_an_error() {
    let fifo = temporary("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    for (path, what) in [
        (fifo.clone(), "FIFO"),
        ("/dev/zero".into(), "device"),
        ("/dev/null".into(), "device"),
        (std::env::temp_dir(), "directory"),
    ] {
        let error = ClientSecret::from_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("regular file") && error.contains(what),
            "{error}"
        );
    }
    fs::remove_file(fifo).unwrap();
}

#[test]
fn content_in_the_place_of_a_path_is_an_error_that_does_not_show_it() {
    let key =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIs3cr3t\n-----END PRIVATE KEY-----\n";
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzM2NyM3QifQ.s3cr3t";
    for (error, told) in [
        (ClientSecret::from_file(key).unwrap_err(), "(PEM)"),
        (
            ClientSecret::from_file("s3cr3t\n").unwrap_err(),
            "line break",
        ),
        (AssertionFile::new(jwt).unwrap_err(), "(a JWT)"),
        (
            AssertionFile::any_text("<Assertion>s3cr3t</Assertion>").unwrap_err(),
            "(XML)",
        ),
        (
            ClientSecret::from_file("opaque-s3cr3t").unwrap_err(),
            "(a text of 13 characters that names no file;",
        ),
        (
            AssertionFile::any_text("b64/s3cr3t==").unwrap_err(),
            "(a text of 12 characters that names no file;",
        ),
    ] {
        let text = error.to_string();
        assert!(
            text.contains("expected the path of its file") && text.contains(told),
            "{text}"
        );
        let shown = format!("{error:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}

/// A read of it would block a thread for ever.
#[tokio::test]
async fn secret_file_that_became_a_fifo_is_a_transient_error() {
    let path = temporary("became-fifo");
    write(&path, "s3cr3t\n", 0o600);
    let source = grant(ClientSecret::from_file(&path).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    for _ in 0..3 {
        let failed = with_timeout(source.fetch(&TokenRequest::default())).await;
        assert!(failed.unwrap_err().is_transient());
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn secret_file_beyond_64_kib_is_an_error_and_is_not_read_to_its_end() {
    let path = temporary("huge");
    write(&path, [b'a'; 64 * 1024], 0o600);
    ClientSecret::from_file(&path).unwrap();
    // sparse: reading it whole would need 1 TiB of memory
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let error = ClientSecret::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("64 KiB"), "{error}");
    fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn secret_file_that_others_may_read_draws_one_warning() {
    let path = temporary("readable");
    let (log, guard) = CapturedLog::start();
    write(&path, "s3cr3t\n", 0o644);
    let secret = ClientSecret::from_file(&path).unwrap();
    let again = ClientSecret::from_file(&path).unwrap();
    for secret in [secret, again] {
        let source = grant(secret);
        source.fetch(&TokenRequest::default()).await.unwrap();
        source.fetch(&TokenRequest::default()).await.unwrap();
    }
    drop(guard);
    let text = log.text();
    assert_eq!(text.matches("WARN").count(), 1, "{text}");
    for part in [path.to_str().unwrap(), "0644", "chmod 600"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("s3cr3t"), "{text}");
    fs::remove_file(path).unwrap();
}

#[test]
fn secret_file_of_its_owner_and_its_group_draws_no_warning() {
    for (mode, warns) in [
        (0o600, false),
        (0o400, false),
        (0o640, false),
        (0o604, true),
    ] {
        let path = temporary(&format!("mode-{mode:o}"));
        let (log, guard) = CapturedLog::start();
        write(&path, "s3cr3t", mode);
        let _ = ClientSecret::from_file(&path).unwrap();
        drop(guard);
        assert_eq!(
            log.text().contains("chmod 600"),
            warns,
            "{mode:o}: {}",
            log.text()
        );
        fs::remove_file(path).unwrap();
    }
}

/// As Kubernetes rotates a mounted secret: `secret` links to `..data/secret`, and `..data` is renamed.
#[tokio::test]
async fn secret_file_behind_links_that_are_renamed_is_read_anew() {
    use std::os::unix::fs::symlink;

    let folder = temporary("links");
    let _ = fs::remove_dir_all(&folder);
    let generation = |number: u32| {
        let name = format!("..{number}");
        fs::create_dir_all(folder.join(&name)).unwrap();
        let path = folder.join(&name).join("secret");
        write(&path, format!("s3cr3t-{number}"), 0o600);
        symlink(&name, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    generation(1);
    let link = folder.join("secret");
    symlink("..data/secret", &link).unwrap();
    let transport = Recording::issuing();
    let secret = ClientSecret::from_file(&link).unwrap();
    let authentication = ClientAuthentication::client_secret_post(secret);
    let source = ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(transport.clone())
        .unwrap();
    for number in 2..20 {
        generation(number);
        fs::remove_dir_all(folder.join(format!("..{}", number - 1))).unwrap();
        source.fetch(&TokenRequest::default()).await.unwrap();
        let sent = format!("client_secret=s3cr3t-{number}");
        assert!(transport.form().ends_with(&sent), "{}", transport.form());
    }
    fs::remove_file(folder.join("..data")).unwrap();
    let missing = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(missing.is_transient(), "{missing}");
    fs::remove_dir_all(&folder).unwrap();
}
