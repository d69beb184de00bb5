//! When a server starts and stops, and what it shows of itself.

use auth_testing::ProtectedApi;
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::client::{api_request, http1, request_token, send, server};

#[tokio::test]
async fn a_server_stops_when_its_last_handle_is_dropped() {
    let server = server().await;
    let address = server.issuer().replace("http://", "");
    let clone = server.clone();
    drop(server);
    assert_eq!(request_token(&clone, "").await.0, 200);
    let mut idle = TcpStream::connect(&address).await.unwrap();
    // this connection was accepted after the idle one
    request_token(&clone, "").await;
    assert_eq!(clone.connections(), 3);

    drop(clone);
    assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn an_api_outlives_the_authorization_server() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let token = server.issue_token("");
    drop(server);
    let response = send(&http1(), api_request(api.url(), &token)).await;
    assert_eq!(response.unwrap().status(), 200);
}

#[test]
fn a_server_is_controlled_from_any_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(server());
    let token = server.issue_token("");
    std::thread::scope(|scope| {
        scope.spawn(|| server.revoke_all());
    });
    assert!(!server.is_active(&token));
    // the server is dropped outside a runtime, and after its own
    drop(runtime);
    drop(server);
}

#[tokio::test]
async fn debug_output_shows_no_secret() {
    let builder = auth_testing::AuthorizationServer::builder().client("client", "s3cr3t");
    assert!(!format!("{builder:?}").contains("s3cr3t"));
    let server = builder.start().await.unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    let token = server.issue_token("");
    let shown = format!("{server:?} {api:?}");
    assert!(shown.contains(&server.token_endpoint()) && shown.contains(&api.url()));
    assert!(!shown.contains("s3cr3t") && !shown.contains(&token));
}
