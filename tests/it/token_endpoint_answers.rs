//! Responses of token endpoints over real sockets, byte for byte.

use std::sync::Arc;

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, ErrorKind, HttpTransport, TokenRequest,
    TokenResponse, TokenSource,
};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{RawServer, hyper_clients::hyper_client, reqwest_clients::reqwest_builder};
use auth_tower::TowerTransport;
use http::StatusCode;
use tokio::net::TcpSocket;

const SECRET: &str = "s3cr3t";
const TOKEN: &str = r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#;

fn transports() -> [Arc<dyn HttpTransport>; 2] {
    [
        Arc::new(TowerTransport::new(hyper_client())),
        Arc::new(ReqwestTransport::new(reqwest_builder()).unwrap()),
    ]
}

/// Returns the outcomes of two consecutive requests, through each transport, to an endpoint that responds
/// with `answer`.
async fn outcomes(answer: impl Into<Vec<u8>>) -> Vec<Result<TokenResponse, Error>> {
    let endpoint = RawServer::start(answer).await;
    let mut outcomes = Vec::new();
    for transport in transports() {
        let authentication = ClientAuthentication::client_secret_post(SECRET);
        let url = format!("{}/token", endpoint.origin());
        let grant = ClientCredentials::builder(url, "client", authentication);
        let grant = grant.build(transport).unwrap();
        for _ in 0..2 {
            outcomes.push(grant.fetch(&TokenRequest::default()).await);
        }
    }
    outcomes
}

async fn is_read(answer: impl Into<Vec<u8>>) {
    for outcome in outcomes(answer).await {
        outcome.unwrap();
    }
}

/// Asserts the kind of each error, and that its text contains `what` and neither the secret nor a part of
/// the body.
async fn fails(answer: impl Into<Vec<u8>>, kind: ErrorKind, what: &str) -> Vec<Error> {
    let outcomes = outcomes(answer).await;
    let errors: Vec<_> = outcomes.into_iter().map(Result::unwrap_err).collect();
    for error in &errors {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
        let debug = format!("{error:?}");
        assert!(
            !debug.contains(SECRET) && !debug.contains("<h1>"),
            "{debug}"
        );
    }
    errors
}

/// Returns a 200 with this content type and body that closes the connection.
fn ok(kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn connection_close() {
    is_read(ok("application/json", TOKEN)).await;
}

#[tokio::test]
async fn chunked() {
    let (first, second) = TOKEN.split_at(10);
    let (a, b) = (first.len(), second.len());
    is_read(format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         {a:x}\r\n{first}\r\n{b:x}\r\n{second}\r\n0\r\n\r\n"
    ))
    .await;
}

#[tokio::test]
async fn http_1_0_that_ends_with_the_connection() {
    is_read(format!(
        "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{TOKEN}"
    ))
    .await;
}

#[tokio::test]
async fn a_body_larger_than_a_mebibyte() {
    let padding = " ".repeat(1 << 20);
    let large = format!("{TOKEN}{padding}");
    let what = "at most 1 MiB";
    fails(
        ok("application/json", &large),
        ErrorKind::InvalidResponse,
        what,
    )
    .await;
    let endless = format!("HTTP/1.0 200 OK\r\n\r\n{large}");
    fails(endless, ErrorKind::InvalidResponse, what).await;
}

#[tokio::test]
async fn a_mebibyte_exactly() {
    let padding = " ".repeat((1 << 20) - TOKEN.len());
    is_read(ok("application/json", &format!("{TOKEN}{padding}"))).await;
}

#[tokio::test]
async fn html_instead_of_json() {
    let html = ok("text/html", "<h1>Log in</h1>");
    fails(html, ErrorKind::InvalidResponse, "15 bytes of text/html").await;
}

#[tokio::test]
async fn an_empty_answer() {
    let empty = ok("application/json", "");
    fails(empty, ErrorKind::InvalidResponse, "an empty body").await;
}

#[tokio::test]
async fn a_lifetime_that_is_no_number() {
    let answer = TOKEN.replace("600", "\"zzz\"");
    let answer = ok("application/json", &answer);
    for outcome in outcomes(answer).await {
        assert_eq!(outcome.unwrap().expires_in(), None);
    }
}

#[tokio::test]
async fn the_connection_is_closed_before_the_response() {
    for error in fails("", ErrorKind::Connection, "received no response").await {
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn the_connection_is_closed_within_the_response() {
    let whole = ok("application/json", TOKEN);
    let broken = &whole[..whole.len() - 1];
    fails(broken, ErrorKind::Connection, "the response ended early").await;
}

#[tokio::test]
async fn a_response_that_is_not_http() {
    fails(
        "220 mail.example ESMTP\r\n",
        ErrorKind::Connection,
        "received no response",
    )
    .await;
}

#[tokio::test]
async fn no_server_listens() {
    // bound without listening, so that no other process gets the port
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    for transport in transports() {
        let authentication = ClientAuthentication::client_secret_basic(SECRET);
        let grant = ClientCredentials::builder(&url, "client", authentication);
        let grant = grant.build(transport).unwrap();
        let error = grant.fetch(&TokenRequest::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_401_with_a_bearer_challenge_and_no_body_is_a_denial() {
    let challenge = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\n\
                     content-length: 0\r\nconnection: close\r\n\r\n";
    for error in fails(challenge, ErrorKind::Denied, "(401)").await {
        assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_503_with_a_page_is_transient_and_its_retry_after_is_returned() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-type: text/html\r\n\
                connection: close\r\n\r\n<h1>Busy</h1>";
    for error in fails(busy, ErrorKind::Unavailable, "(503)").await {
        assert!(error.is_transient());
        let wait = error.server_retry_after();
        assert_eq!(wait.map(|wait| wait.as_secs()), Some(7));
    }
}
