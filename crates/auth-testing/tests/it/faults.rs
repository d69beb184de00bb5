//! Faults and rejections on demand.

use std::time::Duration;

use auth_testing::{Answer, AuthorizationServer, Fault, ProtectedApi};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
};

use crate::client::{POST, api_request, http1, http2, request_token, send, server, token_request};

async fn token_response(server: &AuthorizationServer) -> Response<Bytes> {
    let request = token_request(server.token_endpoint(), POST);
    send(&http1(), request).await.unwrap()
}

#[tokio::test]
async fn counted_faults_come_before_the_lasting_one_until_recover() {
    let server = server().await;
    server.fail_all(Answer::oauth_error("invalid_client"));
    server.fail_next(2, Answer::status(StatusCode::BAD_GATEWAY));
    server.fail_next(1, Answer::status(StatusCode::TOO_MANY_REQUESTS));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(request_token(&server, "").await.0.as_u16());
    }
    assert_eq!(statuses, [502, 502, 429, 401, 401]);
    server.recover();
    assert_eq!(request_token(&server, "").await.0, 200);
    assert_eq!((server.token_requests(), server.tokens_issued()), (6, 1));
}

#[tokio::test]
async fn an_answer_is_sent_unchanged() {
    let server = server().await;
    let unavailable =
        Answer::status(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(Duration::from_secs(7));
    server.fail_next(1, unavailable);
    let response = token_response(&server).await;
    assert_eq!(
        (response.status().as_u16(), response.body().len()),
        (503, 0)
    );
    assert_eq!(response.headers()[RETRY_AFTER], "7");
    assert!(!response.headers().contains_key(CONTENT_TYPE));

    server.fail_next(
        1,
        Answer::json(r#"{"access_token":"x","expires_in":"zzz"}"#),
    );
    let response = token_response(&server).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(
        response.body(),
        r#"{"access_token":"x","expires_in":"zzz"}"#
    );

    let other_origin = HeaderValue::from_static("http://127.0.0.1:1/token");
    let redirect =
        Answer::status(StatusCode::TEMPORARY_REDIRECT).with_header(LOCATION, other_origin);
    server.fail_next(1, redirect);
    let response = token_response(&server).await;
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()[LOCATION], "http://127.0.0.1:1/token");

    let large = vec![b' '; (1 << 20) + 1];
    let large = Response::builder().status(200).body(Bytes::from(large));
    server.fail_next(1, Answer::from(large.unwrap()));
    assert_eq!(token_response(&server).await.body().len(), (1 << 20) + 1);
}

#[tokio::test]
async fn a_disconnect_closes_the_connection_without_a_response() {
    let server = server().await;
    for client in [http1(), http2()] {
        let connections = server.connections();
        let request = || token_request(server.token_endpoint(), POST);
        assert!(send(&client, request()).await.is_ok());
        server.fail_next(1, Fault::Disconnect);
        assert!(send(&client, request()).await.is_err());
        assert!(send(&client, request()).await.is_ok());
        assert_eq!(server.connections() - connections, 2);
    }
}

#[tokio::test]
async fn a_hanging_request_gets_no_response_and_delays_no_other() {
    let server = server().await;
    server.fail_next(1, Fault::Hang);
    let client = http2();
    let hanging = tokio::spawn({
        let (client, request) = (client.clone(), token_request(server.token_endpoint(), POST));
        async move { send(&client, request).await }
    });
    server.until_token_requests(1).await;
    let other = send(&client, token_request(server.token_endpoint(), POST));
    assert_eq!(other.await.unwrap().status(), 200);
    assert!(!hanging.is_finished());
    drop(server);
    assert!(
        hanging.await.unwrap().is_err(),
        "the request fails when the server stops"
    );
}

#[tokio::test]
async fn a_protected_api_fails_and_rejects_on_demand() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let (client, token) = (http1(), server.issue_token(""));
    api.reject_next(2);
    api.fail_next(1, Answer::status(StatusCode::from_u16(419).unwrap()));
    api.fail_next(1, Fault::Disconnect);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = send(&client, api_request(api.url(), &token)).await;
        statuses.push(response.map_or(0, |response| response.status().as_u16()));
    }
    assert_eq!(statuses, [401, 401, 419, 0, 200]);
    assert_eq!(api.statuses(), [401, 401, 419, 200]);
    assert_eq!(api.rejections(), 2);

    let status = async || {
        let response = send(&client, api_request(api.url(), &token)).await;
        response.unwrap().status()
    };
    api.reject_all();
    assert_eq!(
        (status().await, status().await.as_u16()),
        (StatusCode::UNAUTHORIZED, 401)
    );
    api.fail_all(Answer::status(StatusCode::BAD_GATEWAY));
    assert_eq!(
        (status().await, status().await.as_u16()),
        (StatusCode::BAD_GATEWAY, 502)
    );
    api.recover();
    assert_eq!(status().await, 200);
}
