//! Answers of token endpoints, byte for byte, over both transports. `answers.json` holds the answers as
//! they were met or tried, the right reading of each in words (`right`), and the same as a check (`expect`).

mod expectation;
mod log;

use std::sync::Arc;

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error, HttpTransport,
    TokenCache, TokenRequest, TokenResponse, TokenSource,
};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    RawServer, hyper_clients::hyper_client, reqwest_clients::reqwest_builder, with_timeout,
};
use auth_testing::ManualClock;
use auth_tower::TowerTransport;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use self::expectation::Expectation;

const ROWS: &str = include_str!("answers.json");
const SECRET: &str = "s3cr3t-of-the-client";
/// Sent before the answer of the row `103 and 100 before the answer`.
const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n\
                       HTTP/1.1 100 Continue\r\n\r\n";

/// One row of `answers.json`.
struct Row {
    name: String,
    bytes: Vec<u8>,
    expect: Expectation,
}

impl Row {
    fn parse(row: &Value) -> Self {
        let text = |name: &str| {
            row[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {row}"))
        };
        let name = text("name").to_owned();
        let mut bytes = Vec::new();
        if name == "103 and 100 before the answer" {
            bytes.extend_from_slice(INTERIM.as_bytes());
        }
        bytes.extend_from_slice(format!("HTTP/1.1 {} Reason\r\n", row["status"]).as_bytes());
        for header in row["headers"].as_array().unwrap() {
            bytes.extend_from_slice(format!("{}\r\n", header.as_str().unwrap()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&BASE64_STANDARD.decode(text("body_base64")).unwrap());
        let expect = Expectation::parse(&name, &row["expect"]);
        Self {
            name,
            bytes,
            expect,
        }
    }
}

fn transports() -> [(&'static str, Arc<dyn HttpTransport>); 2] {
    [
        ("hyper", Arc::new(TowerTransport::new(hyper_client()))),
        (
            "reqwest",
            Arc::new(ReqwestTransport::new(reqwest_builder()).unwrap()),
        ),
    ]
}

fn builder(endpoint: &RawServer) -> ClientCredentialsBuilder {
    let url = format!("{}/token", endpoint.origin());
    ClientCredentials::builder(
        url,
        "client",
        ClientAuthentication::client_secret_basic(SECRET),
    )
}

/// What a client makes of an answer: two token requests of one source, and one of a cache.
struct Outcome {
    fetched: [Result<TokenResponse, Error>; 2],
    cached: Result<(), Error>,
    log: String,
    request: String,
    origin: String,
}

async fn outcome(
    bytes: &[u8],
    transport: Arc<dyn HttpTransport>,
    setting: impl FnOnce(ClientCredentialsBuilder) -> ClientCredentialsBuilder,
) -> Outcome {
    let endpoint = RawServer::start(bytes).await;
    let origin = endpoint.origin();
    let grant = setting(builder(&endpoint)).build(transport).unwrap();
    let log = log::start();
    let request = TokenRequest::default();
    let fetched = [
        with_timeout(grant.fetch(&request)).await,
        with_timeout(grant.fetch(&request)).await,
    ];
    let log = log.take();
    let tokens = TokenCache::builder(grant).clock(ManualClock::new()).build();
    let cached = with_timeout(tokens.token()).await.map(drop);
    drop(tokens);
    Outcome {
        fetched,
        cached,
        log,
        request: endpoint.received().await,
        origin,
    }
}

#[tokio::test]
async fn every_answer_of_the_table_is_read_right_over_both_transports() {
    let rows: Vec<Value> = serde_json::from_str(ROWS).unwrap();
    assert_eq!(rows.len(), 50);
    let mut faults = Vec::new();
    for row in rows.iter().map(Row::parse) {
        for (transport, client) in transports() {
            let outcome = outcome(&row.bytes, client, |builder| builder).await;
            for fault in row.expect.faults(&outcome) {
                faults.push(format!("{} ({transport}): {fault}", row.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn the_setting_that_an_error_names_makes_the_answer_a_token() {
    let rows: Vec<Value> = serde_json::from_str(ROWS).unwrap();
    let mut count = 0;
    for row in rows.iter().map(Row::parse) {
        let Some(expect) = &row.expect.with_setting else {
            continue;
        };
        count += 1;
        for accepted in ["BearerToken", "bearertoken", " BEARERTOKEN "] {
            for (transport, client) in transports() {
                let setting = |builder: ClientCredentialsBuilder| {
                    let builder = builder.accept_token_type("mac");
                    builder.accept_token_type(accepted)
                };
                let outcome = outcome(&row.bytes, client, setting).await;
                let faults = expect.faults(&outcome);
                assert!(faults.is_empty(), "{} ({transport}): {faults:?}", row.name);
            }
        }
    }
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_row_without_an_expectation_does_not_pass() {
    let parse = |expect| std::panic::catch_unwind(move || Expectation::parse("row", &expect));
    for expect in [
        Value::Null,
        serde_json::json!({}),
        serde_json::json!({ "right": "the token" }),
        serde_json::json!({ "token": "tok1", "expires_in": 1, "unknown": 1 }),
    ] {
        assert!(parse(expect).is_err());
    }
}

/// The token of eBay, and the setting on the shortest way to an authorizer.
#[tokio::test]
async fn an_authorizer_accepts_the_token_type_that_is_named() {
    let token =
        r#"{"access_token":"v^1.1#i^1","expires_in":7200,"token_type":"Application Access Token"}"#;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{token}");
    let endpoint = RawServer::start(answer).await;
    let secret = auth_core::ClientSecret::from(SECRET);
    let url = format!("{}/token", endpoint.origin());
    let builder = auth_core::Authorizer::client_credentials(url, "client", secret)
        .accept_token_type("application access token")
        .origin("https://api.example");
    let authorizer = builder.build(TowerTransport::new(hyper_client())).unwrap();
    let token = with_timeout(authorizer.tokens().unwrap().token()).await;
    let token = token.unwrap();
    assert_eq!(token.authorization().header(), "Bearer v^1.1#i^1");
}

#[tokio::test]
async fn a_blank_token_type_cannot_be_accepted() {
    for blank in ["", " "] {
        let endpoint = RawServer::start("").await;
        let builder = builder(&endpoint).accept_token_type(blank);
        let error = builder
            .build(TowerTransport::new(hyper_client()))
            .unwrap_err();
        assert_eq!(error.kind(), auth_core::ErrorKind::Configuration);
        assert!(error.to_string().contains("accept_token_type"), "{error}");
    }
}

/// The clones of a source, and the caches of its keys, share its warnings.
#[tokio::test]
async fn a_warning_is_logged_once_per_source() {
    let token = r#"{"access_token":"tok1","expires_in":0}"#;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{token}");
    let endpoint = RawServer::start(answer).await;
    let log = log::start();
    for _source in 0..2 {
        let grant = builder(&endpoint).build(TowerTransport::new(hyper_client()));
        let grant = grant.unwrap();
        let caches = auth_core::TokenCaches::builder(TokenCache::new(grant.clone()));
        let caches = caches.build().unwrap();
        for scope in ["a", "b", "c"] {
            let request = TokenRequest::builder().scope(scope).build().unwrap();
            with_timeout(grant.clone().fetch(&request)).await.unwrap();
            with_timeout(caches.cache(&request).token()).await.unwrap();
        }
    }
    let log = log.take();
    assert_eq!(log.matches("has no token_type").count(), 2, "{log}");
    assert_eq!(log.matches("expires_in that is not").count(), 2, "{log}");
    assert_eq!(log.lines().count(), 4, "{log}");
    assert!(
        log.contains(&format!("{}/token", endpoint.origin())),
        "{log}"
    );
}
