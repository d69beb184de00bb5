//! A token endpoint that redirects. The secret of the client never reaches another host.

use auth_core::{
    ClientAuthentication, ClientCredentials, ErrorKind, HttpTransport, TokenRequest, TokenSource,
};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    RawServer,
    hyper_clients::hyper_client,
    reqwest_clients::{reqwest_builder, reqwest_client},
};
use auth_tower::TowerTransport;

const SECRET: &str = "s3cr3t-of-the-client";
/// `client:s3cr3t-of-the-client` and the secret alone.
const ENCODED: [&str; 2] = [
    "Y2xpZW50OnMzY3IzdC1vZi10aGUtY2xpZW50",
    "czNjcjN0LW9mLXRoZS1jbGllbnQ",
];

/// Another origin that issues tokens, so that a followed redirect succeeds.
async fn unlisted_origin() -> RawServer {
    let token = r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#;
    let length = token.len();
    RawServer::start(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{token}"
    ))
    .await
}

async fn endpoint_that_redirects(status: u16, to: &RawServer) -> RawServer {
    let location = to.origin();
    RawServer::start(format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {location}/token\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
    .await
}

fn holds_the_secret(received: &str) -> bool {
    received.contains(SECRET) || ENCODED.iter().any(|encoded| received.contains(encoded))
}

fn methods() -> [ClientAuthentication; 3] {
    [
        ClientAuthentication::client_secret_basic(SECRET),
        ClientAuthentication::client_secret_basic_raw(SECRET),
        ClientAuthentication::client_secret_post(SECRET),
    ]
}

/// Requests tokens from endpoints with every kind of redirect, with every kind of client authentication.
/// Returns the bytes that the other origins received.
async fn redirected(transport: impl HttpTransport + Clone) -> Vec<(u16, String)> {
    let mut received = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        for authentication in methods() {
            let unlisted = unlisted_origin().await;
            let endpoint = endpoint_that_redirects(status, &unlisted).await;
            let url = format!("{}/token", endpoint.origin());
            let grant = ClientCredentials::builder(url, "client", authentication);
            let grant = grant.build(transport.clone()).unwrap();
            let error = grant.fetch(&TokenRequest::default()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Redirected, "{status}: {error}");
            assert!(!error.is_transient());
            let target = format!("to {}/token", unlisted.origin());
            assert!(error.to_string().contains(&target), "{status}: {error}");
            assert!(
                holds_the_secret(&endpoint.received().await),
                "the error names the configured endpoint"
            );
            let seen = unlisted.received().await;
            assert!(!holds_the_secret(&seen), "{status}: {seen}");
            received.push((status, seen));
        }
    }
    received
}

#[tokio::test]
async fn the_reqwest_transport_does_not_connect_to_the_other_origin() {
    let transport = ReqwestTransport::new(reqwest_builder()).unwrap();
    for (status, seen) in redirected(transport).await {
        assert_eq!(seen, "", "{status}");
    }
}

#[tokio::test]
async fn the_tower_transport_over_hyper_does_not_connect_to_the_other_origin() {
    for (status, seen) in redirected(TowerTransport::new(hyper_client())).await {
        assert_eq!(seen, "", "{status}");
    }
}

/// The behavior without the transport, which the transport prevents.
#[tokio::test]
async fn a_default_reqwest_client_would_deliver_the_secret() {
    let unlisted = unlisted_origin().await;
    let endpoint = endpoint_that_redirects(307, &unlisted).await;
    let form = format!("grant_type=client_credentials&client_secret={SECRET}");
    let request = reqwest_client().post(endpoint.origin()).body(form);
    request.send().await.unwrap();
    assert!(holds_the_secret(&unlisted.received().await));
}
