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
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name}: {row}"));
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
