//! What arrives with a `Host` header of the caller.

use auth_reqwest::AuthMiddleware;
use auth_test_support::{Deployment, RawServer, reqwest_clients::reqwest_client};
use http::header::HOST;
use reqwest_middleware::ClientBuilder;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

async fn received(deployment: &Deployment, host: Option<&str>) -> String {
    let server = RawServer::start(OK).await;
    let authorizer = deployment.builder().origin(server.origin());
    let client = ClientBuilder::new(reqwest_client());
    let client = client.with(AuthMiddleware::new(authorizer.build().unwrap()));
    let mut request = client.build().get(server.origin());
    if let Some(host) = host {
        let authority = server.address().to_string();
        request = request.header(HOST, host.replace("AUTHORITY", &authority));
    }
    request.send().await.unwrap();
    server.received().await.to_lowercase()
}

/// reqwest sends the caller's header instead of one for the URL.
#[tokio::test]
async fn a_request_with_another_host_arrives_without_a_token() {
    let deployment = Deployment::start().await;
    for other in ["evil.example", "localhost", "AUTHORITY, evil.example"] {
        let received = received(&deployment, Some(other)).await;
        assert!(!received.contains("authorization"), "{received}");
    }
    for own in [None, Some("AUTHORITY")] {
        let received = received(&deployment, own).await;
        assert!(
            received.contains("authorization: bearer "),
            "{own:?}: {received}"
        );
    }
}
