//! Echoes of a secret or a token are struck out in every spelling, and change no meaning.

use std::{error::Error as StdError, fmt, io};

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, ErrorKind, TokenRequest, TokenResponse,
    TokenSource,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::json;

use crate::recording_transport::Recording;

const ID: &str = "some-client";
const SECRET: &str = "s3cr3t/of+the=client&\"<Wé~>'\\ 9";

fn grant(secret: &str, transport: Recording) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_basic(secret);
    ClientCredentials::builder("https://as.example/token", ID, authentication)
        .build(transport)
        .unwrap()
}

async fn fetch(secret: &str, transport: Recording) -> Error {
    let source = grant(secret, transport);
    source.fetch(&TokenRequest::default()).await.unwrap_err()
}

fn hex(text: &str, upper: bool) -> String {
    let digits = text.bytes().map(|b| {
        if upper {
            format!("{b:02X}")
        } else {
            format!("{b:02x}")
        }
    });
    digits.collect()
}

fn percent(text: &str, all: bool, upper: bool) -> String {
    text.bytes()
        .map(|b| match b {
            b if !all && b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b if upper => format!("%{b:02X}"),
            b => format!("%{b:02x}"),
        })
        .collect()
}

fn escaped_units(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

fn html_numeric(text: &str, hex: bool) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c.to_string(),
            c if hex => format!("&#x{:X};", u32::from(c)),
            c => format!("&#{:03};", u32::from(c)),
        })
        .collect()
}

/// Returns the spellings of an echo that were met.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json_text = json!(secret).to_string();
    let json_text = json_text.trim_matches('"').to_owned();
    let twice = json!(json_text).to_string();
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;");
    let encoded = percent(secret, false, true);
    let pair = format!("{ID}:{secret}");
    let encoded_pair = format!("{ID}:{encoded}");
    let mut all = vec![
        ("raw", secret.to_owned()),
        ("percent, upper", encoded.clone()),
        ("percent, lower", percent(secret, false, false)),
        ("percent, every octet", percent(secret, true, true)),
        ("percent, every octet, lower", percent(secret, true, false)),
        (
            "percent, in part",
            secret.replace('/', "%2F").replace('=', "%3d"),
        ),
        ("percent, twice", encoded.replace('%', "%25")),
        ("form", form.clone()),
        (
            "form, lower",
            percent(secret, false, false).replace("%20", "+"),
        ),
        ("json", json_text.clone()),
        ("json, slashes", json_text.replace('/', "\\/")),
        ("json, units", escaped_units(secret)),
        (
            "json, upper units",
            escaped_units(secret).to_uppercase().replace("\\U", "\\u"),
        ),
        ("json, twice", twice.trim_matches('"').to_owned()),
        (
            "json, in part",
            secret.replace('+', "\\u002B").replace('&', "\\u0026"),
        ),
        ("html", html.clone()),
        ("html, twice", html.replace('&', "&amp;")),
        ("html, hexadecimal", html_numeric(secret, true)),
        ("html, decimal", html_numeric(secret, false)),
        ("hex", hex(secret, false)),
        ("hex, upper", hex(secret, true)),
        ("rust", format!("{secret:?}").trim_matches('"').to_owned()),
        (
            "with controls within",
            secret.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        ),
    ];
    for engine in [&BASE64_STANDARD, &BASE64_URL_SAFE] {
        all.push(("base64", engine.encode(secret)));
        all.push(("base64 of the pair", engine.encode(&pair)));
        all.push(("base64 of the encoded pair", engine.encode(&encoded_pair)));
        for before in ["x", "xy", "xyz"] {
            all.push((
                "base64 of a longer text",
                engine.encode(format!("{before}{secret}{before}")),
            ));
            all.push((
                "base64 of a form",
                engine.encode(format!("{before}={form}&")),
            ));
        }
    }
    for engine in [&BASE64_STANDARD_NO_PAD, &BASE64_URL_SAFE_NO_PAD] {
        all.push(("base64 without padding", engine.encode(secret)));
        all.push(("base64 of the pair without padding", engine.encode(&pair)));
    }
    let header = percent(&BASE64_STANDARD.encode(&pair), false, true);
    all.push(("percent of base64", header));
    all
}

#[track_caller]
fn is_struck_out(what: &str, echo: &str, error: &Error) {
    let mut texts = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ];
    texts.extend(error.error_code().map(str::to_owned));
    texts.extend(error.error_description().map(str::to_owned));
    texts.extend(error.error_uri().map(str::to_owned));
    let mut cause = error.source();
    while let Some(source) = cause {
        texts.extend([source.to_string(), format!("{source:?}")]);
        cause = source.source();
    }
    let visible: String = echo.chars().filter(|c| *c != '\u{200b}').collect();
    let debug = format!("{visible:?}");
    for text in texts {
        for echo in [echo, &visible, debug.trim_matches('"')] {
            assert!(!text.contains(echo), "{what}: {echo} in {text}");
        }
        // no long part of it either
        for part in visible
            .as_bytes()
            .chunks(24)
            .filter(|part| part.len() == 24)
        {
            let part = String::from_utf8_lossy(part);
            assert!(!text.contains(&*part), "{what}: {part} in {text}");
        }
    }
}

#[tokio::test]
async fn echoes_of_the_secret_in_an_error_response() {
    for (what, echo) in spellings(SECRET) {
        let within = format!("the secret '{echo}' of client_secret={echo} is wrong");
        let uri = format!("https://as.example/?e={echo}");
        for (status, body) in [
            (
                401,
                json!({"error": "invalid_client", "error_description": within}),
            ),
            (
                400,
                json!({"error": echo, "error_description": format!("Basic {echo}")}),
            ),
            (
                503,
                json!({"error": "bad", "error_description": echo, "error_uri": uri}),
            ),
            (200, json!({"error": within, "error_uri": echo})),
            (200, json!({"access_token": "t", "token_type": within})),
        ] {
            let error = fetch(SECRET, Recording::answering(status, body.to_string())).await;
            is_struck_out(what, &echo, &error);
        }
    }
}

#[derive(Debug)]
struct Request {
    #[allow(dead_code, reason = "printed by Debug")]
    headers: String,
    text: String,
    source: Option<io::Error>,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Request {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|e| e as &(dyn StdError + 'static))
    }
}

#[tokio::test]
async fn echoes_of_the_secret_in_the_error_of_a_transport() {
    for (what, echo) in spellings(SECRET) {
        let (one, two, three) = (echo.clone(), echo.clone(), echo.clone());
        let in_text = Recording::failing(move || io::Error::other(format!("sent {one}")));
        let in_debug = Recording::failing(move || Request {
            headers: two.clone(),
            text: "failed".into(),
            source: None,
        });
        let in_source = Recording::failing(move || Request {
            headers: String::new(),
            text: "failed".into(),
            source: Some(io::Error::other(format!("sent {three}"))),
        });
        for transport in [in_text, in_debug, in_source] {
            let error = fetch(SECRET, transport).await;
            assert_eq!(error.kind(), ErrorKind::Connection);
            assert!(
                error.source().is_some(),
                "the cause is kept, without the secret"
            );
            is_struck_out(what, &echo, &error);
        }
    }
}

#[tokio::test]
async fn the_error_of_a_transport_without_an_echo_keeps_its_type() {
    let transport = Recording::failing(|| io::Error::from(io::ErrorKind::ConnectionRefused));
    let error = fetch(SECRET, transport).await;
    let source = error.source().and_then(|s| s.downcast_ref::<io::Error>());
    assert_eq!(
        source.map(io::Error::kind),
        Some(io::ErrorKind::ConnectionRefused)
    );
}

/// The token of an earlier response, and one in the response itself.
#[tokio::test]
async fn echoes_of_an_access_token() {
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lLWNsaWVudCJ9.c2lnbmF0dXJl";
    for (what, echo) in spellings(TOKEN) {
        let both = json!({"access_token": TOKEN, "error": "bad", "error_description": echo});
        let error = fetch(SECRET, Recording::answering(200, both.to_string())).await;
        is_struck_out(what, &echo, &error);
        let error = fetch(SECRET, Recording::answering(400, both.to_string())).await;
        is_struck_out(what, &echo, &error);
    }
}

/// A transport whose first answer is a token, and whose further ones echo it.
#[derive(Debug)]
struct EchoesItsToken {
    first: std::sync::atomic::AtomicBool,
    token: &'static str,
    echo: String,
    fails: bool,
}

#[async_trait::async_trait]
impl auth_core::HttpTransport for EchoesItsToken {
    async fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<auth_core::TransportBody>, Error> {
        use std::sync::atomic::Ordering::SeqCst;
        let (status, body) = if self.first.swap(false, SeqCst) {
            (
                200,
                json!({"access_token": self.token, "token_type": "Bearer"}),
            )
        } else if self.fails {
            return Err(Error::connection(format!(
                "authorization: Bearer {}",
                self.echo
            )));
        } else {
            (
                400,
                json!({"error": "bad", "error_description": format!("token {}", self.echo)}),
            )
        };
        let body = http_body_util::Full::new(bytes::Bytes::from(body.to_string()));
        let response = http::Response::builder().status(status);
        Ok(response.body(auth_core::TransportBody::new(body)).unwrap())
    }
}

#[tokio::test]
async fn echoes_of_an_access_token_in_a_later_failure() {
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lLWNsaWVudCJ9.c2lnbmF0dXJl";
    for (what, echo) in spellings(TOKEN) {
        for fails in [false, true] {
            let transport = EchoesItsToken {
                first: true.into(),
                token: TOKEN,
                echo: echo.clone(),
                fails,
            };
            let authentication = ClientAuthentication::client_secret_basic(SECRET);
            let source = ClientCredentials::builder("https://as.example/token", ID, authentication)
                .build(transport)
                .unwrap();
            let first: TokenResponse = source.fetch(&TokenRequest::default()).await.unwrap();
            assert_eq!(first.access_token(), TOKEN);
            let error = source
                .clone()
                .fetch(&TokenRequest::default())
                .await
                .unwrap_err();
            is_struck_out(what, &echo, &error);
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_a_part_of_a_code_changes_no_meaning() {
    for secret in [
        "invalid",
        "client",
        "invalid_client",
        "a",
        "i",
        "_",
        "inval",
        "unavailable",
    ] {
        for (status, code, kind) in [
            (401, "invalid_client", ErrorKind::Denied),
            (400, "invalid_scope", ErrorKind::Denied),
            (400, "unauthorized_client", ErrorKind::Denied),
            (400, "temporarily_unavailable", ErrorKind::Unavailable),
            (400, "server_error", ErrorKind::Unavailable),
            (400, "invalid_target", ErrorKind::Denied),
        ] {
            let body = json!({"error": code}).to_string();
            let error = fetch(secret, Recording::answering(status, body)).await;
            assert_eq!(
                (error.error_code(), error.kind()),
                (Some(code), kind),
                "{secret}"
            );
        }
        let refused = Recording::failing(|| io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = fetch(secret, refused).await;
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(
            error
                .to_string()
                .contains("token request received no response"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_short_secret_does_not_shred_a_text() {
    for secret in ["a", "e", "cl", "the", "is", "in", "_"] {
        let body = json!({
            "error": "invalid_client",
            "error_description": "the client is not registered in the realm a",
        });
        let error = fetch(secret, Recording::answering(401, body.to_string())).await;
        let description = error.error_description().unwrap();
        assert!(
            !description.contains("[redacted]"),
            "{secret}: {description}"
        );
    }
    for secret in ["abc", "s3"] {
        for text in [
            format!("secret '{secret}' is wrong"),
            format!("client_secret={secret}"),
        ] {
            let body = json!({"error": "invalid_client", "error_description": text}).to_string();
            let error = fetch(secret, Recording::answering(401, body)).await;
            let description = error.error_description().unwrap();
            assert!(
                description.contains("[redacted]"),
                "{secret}: {description}"
            );
        }
    }
}

#[tokio::test]
async fn a_part_of_a_secret_is_struck_out_as_well() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    for text in [
        format!("starts with {}", &secret[..20]),
        format!("ends with {}", &secret[10..]),
        format!("{}{}", "x".repeat(240), secret),
        format!(
            "base64 {}",
            &BASE64_STANDARD.encode(format!("{ID}:{secret}"))[10..40]
        ),
    ] {
        let body = json!({"error": "invalid_client", "error_description": text}).to_string();
        let error = fetch(secret, Recording::answering(401, body)).await;
        let description = error.error_description().unwrap();
        assert!(!description.contains(&secret[12..20]), "{description}");
        assert!(
            description.contains("[redacted]") || text.starts_with('x'),
            "{description}"
        );
    }
}

/// A huge description takes no time of a denied request.
#[tokio::test]
async fn a_huge_description_with_a_long_secret_is_cleaned() {
    let secret: String = (0..16_000)
        .map(|i| char::from(b'a' + (i * 7 % 26) as u8))
        .collect();
    let text = secret.repeat(60);
    let body = json!({"error": "invalid_client", "error_description": text}).to_string();
    let error = fetch(&secret, Recording::answering(401, body)).await;
    let description = error.error_description().unwrap();
    assert!(description.chars().count() <= 256);
    assert!(!description.contains(&secret[..20]));
}
