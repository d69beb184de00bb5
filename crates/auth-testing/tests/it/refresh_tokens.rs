//! Refresh tokens: RFC 6749 §6, and their rotation (RFC 9700 §4.14.2).

use auth_testing::AuthorizationServer;
use http::StatusCode;
use serde_json::Value;

use crate::client::{http1, send, server, token_request};

async fn refresh(server: &AuthorizationServer, token: &str, more: &str) -> (StatusCode, Value) {
    let form = format!(
        "grant_type=refresh_token&refresh_token={token}&client_id=client&client_secret=secret{more}"
    );
    let request = token_request(server.token_endpoint(), &form);
    let response = send(&http1(), request).await.unwrap();
    let json = serde_json::from_slice(response.body()).unwrap();
    (response.status(), json)
}

fn text<'a>(response: &'a (StatusCode, Value), member: &str) -> &'a str {
    response.1[member].as_str().unwrap_or_default()
}

#[tokio::test]
async fn each_refresh_token_is_exchanged_once_for_an_access_token_and_the_next_refresh_token() {
    let server = server().await;
    let mut token = server.issue_refresh_token("client", "a b");
    for _ in 0..3 {
        let response = refresh(&server, &token, "").await;
        assert_eq!(
            (response.0, text(&response, "scope")),
            (StatusCode::OK, "a b")
        );
        assert!(server.is_active(text(&response, "access_token")));
        assert!(!server.is_active_refresh_token(&token));
        token = text(&response, "refresh_token").to_owned();
        assert!(server.is_active_refresh_token(&token));
    }
    assert_eq!(server.refresh_token_reuses(), 0);
}

#[tokio::test]
async fn a_token_that_is_presented_twice_revokes_all_that_follow_from_its_authorization() {
    let server = server().await;
    let other = server.issue_refresh_token("client", "a");
    let first = server.issue_refresh_token("client", "a");
    let response = refresh(&server, &first, "").await;
    let (access, second) = (
        text(&response, "access_token"),
        text(&response, "refresh_token"),
    );

    let reused = refresh(&server, &first, "").await;
    assert_eq!(
        (reused.0, text(&reused, "error")),
        (StatusCode::BAD_REQUEST, "invalid_grant")
    );
    assert!(
        text(&reused, "error_description").contains("used before"),
        "{reused:?}"
    );
    assert!(!server.is_active(access) && !server.is_active_refresh_token(second));
    let revoked = refresh(&server, second, "").await;
    assert!(
        text(&revoked, "error_description").contains("it was revoked"),
        "{revoked:?}"
    );
    assert_eq!(refresh(&server, &other, "").await.0, 200);
    assert_eq!(server.refresh_token_reuses(), 1);
}

#[tokio::test]
async fn a_token_of_another_client_and_an_unknown_one_are_denied_and_stay_as_they_are() {
    let server = AuthorizationServer::builder()
        .client("client", "secret")
        .public_client("app")
        .start()
        .await
        .unwrap();
    let token = server.issue_refresh_token("app", "a");
    for token in [&token, "unknown"] {
        let denied = refresh(&server, token, "").await;
        assert_eq!(text(&denied, "error"), "invalid_grant", "{denied:?}");
    }
    let form = format!("grant_type=refresh_token&refresh_token={token}&client_id=app");
    let request = token_request(server.token_endpoint(), &form);
    assert_eq!(send(&http1(), request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn rfc6749_6_fewer_scopes_may_be_requested_and_others_do_not_use_the_token_up() {
    let server = server().await;
    let token = server.issue_refresh_token("client", "a b");
    let denied = refresh(&server, &token, "&scope=a+c").await;
    assert_eq!(text(&denied, "error"), "invalid_scope");
    let narrow = refresh(&server, &token, "&scope=a").await;
    assert_eq!(text(&narrow, "scope"), "a");
    let next = refresh(&server, text(&narrow, "refresh_token"), "").await;
    assert_eq!(text(&next, "scope"), "a b");
}

#[tokio::test]
async fn without_rotation_a_token_is_used_until_it_is_revoked() {
    let server = AuthorizationServer::builder()
        .client("client", "secret")
        .rotate_refresh_tokens(false)
        .start()
        .await
        .unwrap();
    let token = server.issue_refresh_token("client", "a");
    for _ in 0..2 {
        let response = refresh(&server, &token, "").await;
        assert_eq!(response.0, StatusCode::OK);
        assert_eq!(response.1.get("refresh_token"), None);
    }
    server.revoke_refresh_token(&token);
    assert_eq!(
        refresh(&server, &token, "").await.0,
        StatusCode::BAD_REQUEST
    );
}
