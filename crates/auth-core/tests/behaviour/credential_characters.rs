//! Credentials with characters that no credential has are errors that name place and position.

use std::{fs, path::PathBuf, process};

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientSecret, Error, ErrorKind, TokenRequest,
    TokenSource, provider::Provider,
};

use crate::recording_transport::Recording;

/// Texts that no credential is, and the number of the first character that none has.
const BAD: [(&str, usize); 34] = [
    ("s3cr3t\n", 7),
    ("s3cr3t\r\n", 7),
    ("s3c\0r3t", 4),
    ("s3c\tr3t", 4),
    ("s3c\rr3t", 4),
    ("s3c\nr3t", 4),
    ("s3c\u{7f}r3t", 4),
    ("s3c\u{85}r3t", 4),
    ("s3c\u{9f}r3t", 4),
    ("\u{1b}[0ms3cr3t", 1),
    ("\u{feff}s3cr3t", 1),
    ("\u{feff}\u{feff}s3cr3t", 1),
    ("s3cr3t\u{feff}", 7),
    ("s3c\u{200b}r3t", 4),
    ("s3c\u{200c}r3t", 4),
    ("s3c\u{200d}r3t", 4),
    ("s3c\u{2060}r3t", 4),
    ("s3c\u{ad}r3t", 4),
    ("s3c\u{202e}r3t", 4),
    ("s3c\u{2066}r3t", 4),
    ("s3c\u{200e}r3t", 4),
    ("s3c\u{61c}r3t", 4),
    ("s3c\u{2028}r3t", 4),
    ("s3c\u{2029}r3t", 4),
    ("s3c\u{e0041}r3t", 4),
    ("s3c\u{fe0f}r3t", 4),
    (" s3cr3t", 1),
    ("s3cr3t ", 7),
    ("s3cr3t   ", 7),
    ("\u{a0}s3cr3t", 1),
    ("s3cr3t\u{3000}", 7),
    ("s3cr3t\u{2003}", 7),
    ("s3c\u{a0}r3t", 4),
    (" ", 1),
];

/// Texts that are credentials: RFC 6749 A.1 and A.2 permit a space within, and servers issue others.
const GOOD: [&str; 5] = ["s3 cr3t", "p@ss:w%rd+/= &?#~\"\\", "é", "пароль", "🔑"];

#[track_caller]
fn is_told(error: &Error, place: &str, position: usize, value: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
    assert!(text.contains(place), "{place}: {text}");
    assert!(
        text.contains(&format!("character {position} ")),
        "{value:?}: expected position {position}: {text}"
    );
    let debug = format!("{error:?}");
    for part in ["s3c", "r3t"] {
        assert!(!debug.contains(part), "{value:?}: {debug}");
    }
}

fn temporary_file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("auth-core-{name}-{}", process::id()))
}

fn grant(id: &str, authentication: ClientAuthentication) -> Result<ClientCredentials, Error> {
    ClientCredentials::builder("https://as.example/token", id, authentication)
        .build(Recording::issuing())
}

#[test]
fn credential_characters_of_a_given_secret() {
    for (value, position) in BAD {
        for (place, authentication) in [
            (
                "client_secret_basic",
                ClientAuthentication::client_secret_basic(value),
            ),
            (
                "client_secret_post",
                ClientAuthentication::client_secret_post(value),
            ),
            (
                "client_secret_basic_raw",
                ClientAuthentication::client_secret_basic_raw(value),
            ),
        ] {
            let error = grant("my-client", authentication).unwrap_err();
            is_told(&error, place, position, value);
        }
        let error = Provider::signicat().client_credentials("my-client", value);
        let error = error.build(Recording::issuing()).unwrap_err();
        is_told(&error, "client secret", position, value);
    }
    for value in GOOD {
        grant("my-client", ClientAuthentication::client_secret_post(value)).unwrap();
    }
}

#[test]
fn credential_characters_of_the_client_id() {
    for (value, position) in BAD {
        let authentication = ClientAuthentication::client_secret_basic("s");
        let error = grant(value, authentication).unwrap_err();
        is_told(&error, "client id", position, value);
    }
    for value in GOOD {
        grant(value, ClientAuthentication::client_secret_basic("s")).unwrap();
    }
}

#[test]
fn credential_characters_of_a_file() {
    let path = temporary_file("credential-characters");
    for (value, position) in BAD {
        // one line break at the end of a file is not part of the secret
        for end in ["", "\n", "\r\n"] {
            if value.ends_with(['\n', '\r']) && end.is_empty() {
                continue;
            }
            fs::write(&path, format!("{value}{end}")).unwrap();
            let error = ClientSecret::from_file(&path).unwrap_err();
            is_told(&error, path.to_str().unwrap(), position, value);
        }
    }
    for value in GOOD {
        for end in ["", "\n", "\r\n"] {
            fs::write(&path, format!("{value}{end}")).unwrap();
            ClientSecret::from_file(&path).unwrap();
        }
    }
    for empty in ["", "\n", "\r\n"] {
        fs::write(&path, empty).unwrap();
        let error = ClientSecret::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("empty"), "{error}");
    }
    fs::remove_file(path).unwrap();
}

/// The variables are set in a child process: tests run in parallel.
#[test]
fn credential_characters_of_a_variable() {
    const NAME: &str = "AUTH_CORE_TEST_SECRET";
    if let Ok(position) = std::env::var("AUTH_CORE_TEST_POSITION") {
        let error = ClientSecret::from_env(NAME).unwrap_err();
        is_told(&error, NAME, position.parse().unwrap(), "");
        return;
    }
    for (value, position) in BAD {
        // no variable can hold a NUL
        if value.contains('\0') {
            continue;
        }
        let child = process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "credential_characters::credential_characters_of_a_variable",
            ])
            .env(NAME, value)
            .env("AUTH_CORE_TEST_POSITION", position.to_string())
            .output()
            .unwrap();
        assert!(child.status.success(), "{value:?}: {child:?}");
    }
}

/// The file may be in rotation: the next read repairs it.
#[tokio::test]
async fn credential_characters_of_a_file_that_became_invalid_are_transient() {
    let path = temporary_file("became-invalid");
    fs::write(&path, "first\n").unwrap();
    let secret = ClientSecret::from_file(&path).unwrap();
    let transport = Recording::issuing();
    let source = ClientCredentials::builder("https://as.example/token", "id", secret.into());
    let source = source.build(transport.clone()).unwrap();
    for (bad, _) in BAD {
        fs::write(&path, format!("{bad}\n")).unwrap();
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    assert_eq!(
        transport.requests(),
        0,
        "no request is sent with such a secret"
    );
    fs::write(&path, "second\n").unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(transport.requests(), 1);
    fs::remove_file(path).unwrap();
}

#[test]
fn empty_credentials_are_errors() {
    let basic = ClientAuthentication::client_secret_basic("");
    assert!(
        grant("id", basic)
            .unwrap_err()
            .to_string()
            .contains("empty")
    );
    let basic = ClientAuthentication::client_secret_basic("s");
    assert!(grant("", basic).unwrap_err().to_string().contains("empty"));
}
