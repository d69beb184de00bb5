//! Texts from outside reach errors and logs without invisible characters.

use std::{error::Error as StdError, fmt, io};

use async_trait::async_trait;
use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, Error, ErrorKind, TokenCache,
    TokenRequest, TokenResponse, TokenSource,
};
use serde_json::json;

use crate::{captured_log::CapturedLog, recording_transport::Recording};

/// Controls, and characters that show nothing or change how the others are shown.
const INVISIBLE: [char; 44] = [
    '\0',
    '\u{1}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    '\u{9b}',
    '\u{9f}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180e}',
    '\u{180b}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2060}',
    '\u{2064}',
    '\u{2066}',
    '\u{2069}',
    '\u{206f}',
    '\u{3164}',
    '\u{fe00}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{fffb}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e01ef}',
];

fn dirty(text: &str) -> String {
    INVISIBLE.iter().map(|c| format!("{text}{c}")).collect()
}

#[track_caller]
fn is_clean(text: &str) {
    for c in INVISIBLE.into_iter().filter(|c| *c != '\n') {
        assert!(!text.contains(c), "U+{:04X} in {text:?}", u32::from(c));
    }
}

#[track_caller]
fn error_is_clean(error: &Error) {
    let texts = [Some(error.to_string()), Some(format!("{error:?}"))];
    let members = [
        error.error_code(),
        error.error_description(),
        error.error_uri(),
    ];
    let members = members.map(|member| member.map(str::to_owned));
    for text in texts.into_iter().chain(members).flatten() {
        assert!(!text.contains('\n'), "{text}");
        is_clean(&text);
    }
    let mut cause = error.source();
    while let Some(source) = cause {
        assert!(!source.to_string().contains('\n'), "{source}");
        is_clean(&source.to_string());
        cause = source.source();
    }
}

fn grant(transport: Recording) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    ClientCredentials::builder("https://as.example/token", "some-client", authentication)
        .build(transport)
        .unwrap()
}

#[tokio::test]
async fn outside_texts_of_an_error_response() {
    let (log, guard) = CapturedLog::start();
    for (status, body) in [
        (
            400,
            json!({"error": dirty("bad"), "error_description": dirty("no"), "error_uri": dirty("u")}),
        ),
        (
            503,
            json!({"error": dirty("bad"), "error_description": dirty("no")}),
        ),
        (
            200,
            json!({"access_token": "t", "token_type": dirty("mac")}),
        ),
        (
            200,
            json!({"access_token": dirty("t"), "token_type": "Bearer"}),
        ),
    ] {
        let source = grant(Recording::answering(status, body.to_string()));
        error_is_clean(&source.fetch(&TokenRequest::default()).await.unwrap_err());
        TokenCache::new(source).token().await.unwrap_err();
    }
    drop(guard);
    is_clean(&log.text());
}

#[tokio::test]
async fn outside_texts_around_a_known_code_change_no_meaning() {
    let body = json!({"error": "\u{feff}invalid_client\u{200b}"}).to_string();
    let source = grant(Recording::answering(401, body));
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_client"));
}

#[tokio::test]
async fn outside_texts_of_the_error_of_a_transport() {
    let (log, guard) = CapturedLog::start();
    let source = grant(Recording::failing(|| io::Error::other(dirty("text"))));
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    error_is_clean(&error);
    assert!(error.source().unwrap().to_string().starts_with("texttext"));
    TokenCache::new(source).token().await.unwrap_err();
    drop(guard);
    is_clean(&log.text());
}

/// A token source of the user, whose error repeats a text from outside.
#[derive(Debug)]
struct Vault;

#[async_trait]
impl TokenSource for Vault {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let error = Error::new(ErrorKind::Denied, dirty("vault says "));
        Err(error.with_source(dirty("because ")))
    }
}

#[tokio::test]
async fn outside_texts_of_the_error_of_a_source() {
    let (log, guard) = CapturedLog::start();
    error_is_clean(&TokenCache::new(Vault).token().await.unwrap_err());
    drop(guard);
    is_clean(&log.text());
}

#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("endless")
    }
}

impl StdError for Endless {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

/// A chain of causes without an end would be written to the log for ever.
#[tokio::test]
async fn outside_texts_of_an_endless_chain_of_causes_are_bounded() {
    let (log, guard) = CapturedLog::start();
    let tokens = TokenCache::new(grant(Recording::failing(|| Endless)));
    tokens.token().await.unwrap_err();
    drop(guard);
    assert!(log.text().len() < 20_000);
}

#[tokio::test]
async fn outside_hosts_in_events() {
    let (log, guard) = CapturedLog::start();
    let tokens = TokenCache::new(grant(Recording::issuing()));
    let authorizer = Authorizer::builder(tokens)
        .origin("https://api.example")
        .build()
        .unwrap();
    for c in INVISIBLE {
        let uri = format!("https://else{c}where.example/");
        if let Ok(request) = http::Request::get(uri).body(()) {
            let _ = authorizer.authorize(&request);
        }
    }
    drop(guard);
    is_clean(&log.text());
}
