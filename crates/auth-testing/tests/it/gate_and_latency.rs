//! The gate, the latency, and the clock that both servers use.

use std::{sync::Arc, time::Duration};

use auth_testing::{AuthorizationServer, ManualClock, ProtectedApi, auth_core::time::Clock};

use crate::client::{POST, api_request, http1, http2, send, server, token_request};

const MINUTE: Duration = Duration::from_secs(60);

async fn with_clock(clock: &ManualClock) -> AuthorizationServer {
    AuthorizationServer::builder()
        .client("client", "secret")
        .clock(Arc::new(clock.clone()))
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn token_requests_wait_until_the_gate_opens() {
    let server = server().await;
    server.hold();
    // more than the 200 streams that servers usually allow on one connection
    let client = http2();
    let requests: Vec<_> = (0..300)
        .map(|_| {
            let request = token_request(server.token_endpoint(), POST);
            let client = client.clone();
            tokio::spawn(async move { send(&client, request).await.unwrap().status() })
        })
        .collect();
    server.until_token_requests(300).await;
    assert_eq!((server.tokens_issued(), server.max_in_flight()), (0, 300));
    assert_eq!(server.requests().len(), 300);
    server.release();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!((server.tokens_issued(), server.max_in_flight()), (300, 300));
    let one_more = token_request(server.token_endpoint(), POST);
    assert_eq!(send(&http1(), one_more).await.unwrap().status(), 200);
    assert_eq!(
        server.max_in_flight(),
        300,
        "the highest number at one time, not the sum"
    );
}

#[tokio::test]
async fn a_fault_set_while_a_request_waits_applies_to_it() {
    let server = server().await;
    server.hold();
    let request = token_request(server.token_endpoint(), POST);
    let request = tokio::spawn(async move { send(&http1(), request).await });
    server.until_token_requests(1).await;
    server.fail_next(1, auth_testing::Answer::oauth_error("invalid_scope"));
    server.release();
    assert_eq!(request.await.unwrap().unwrap().status(), 400);
}

#[tokio::test]
async fn a_token_revoked_while_a_request_is_held_is_rejected() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let token = server.issue_token("");
    api.hold();
    let requests = [(); 2].map(|()| {
        let request = api_request(api.url(), &token);
        tokio::spawn(async move { send(&http1(), request).await.unwrap().status() })
    });
    api.until_requests(2).await;
    assert_eq!((api.request_count(), api.max_in_flight()), (2, 2));
    assert!(api.statuses().is_empty());
    server.revoke(&token);
    api.release();
    for request in requests {
        assert_eq!(request.await.unwrap(), 401);
    }
}

#[tokio::test]
async fn the_latency_is_waited_for_on_the_servers_clock() {
    let clock = ManualClock::new();
    let server = with_clock(&clock).await;
    let api = ProtectedApi::start(&server).await.unwrap();
    server.set_latency(MINUTE);
    api.set_latency(2 * MINUTE);
    let token = server.issue_token("");
    let request = token_request(server.token_endpoint(), POST);
    let token_response =
        tokio::spawn(async move { send(&http1(), request).await.unwrap().status() });
    let request = api_request(api.url(), &token);
    let api_response = tokio::spawn(async move { send(&http1(), request).await.unwrap().status() });
    clock.until_sleepers(2).await;
    assert_eq!(clock.next_deadline(), Some(MINUTE));
    clock.advance(MINUTE);
    assert_eq!(token_response.await.unwrap(), 200);
    assert!(api.statuses().is_empty());
    clock.advance(MINUTE);
    assert_eq!(api_response.await.unwrap(), 200);
    assert_eq!(clock.now().monotonic, 2 * MINUTE);
}

#[tokio::test]
async fn a_token_expires_by_the_servers_clock() {
    let clock = ManualClock::new();
    let server = with_clock(&clock).await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let (client, token) = (http1(), server.issue_token(""));
    clock.advance(10 * MINUTE - Duration::from_nanos(1));
    assert!(server.is_active(&token));
    let response = send(&client, api_request(api.url(), &token)).await;
    assert_eq!(response.unwrap().status(), 200);
    clock.advance(Duration::from_nanos(1));
    assert!(!server.is_active(&token));
    let response = send(&client, api_request(api.url(), &token)).await;
    assert_eq!(response.unwrap().status(), 401);
}
