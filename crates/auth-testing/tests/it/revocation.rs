//! The revocation endpoint: RFC 7009.

use auth_testing::{Answer, AuthorizationServer};
use http::{StatusCode, header::ALLOW};
use serde_json::Value;

use crate::client::{http1, request_token, send, token_request};

/// Revokes as the client `client`, and returns the status and the error code.
async fn revoke(server: &AuthorizationServer, more: &str) -> (u16, Value) {
    let form = format!("client_id=client&client_secret=secret{more}");
    let request = token_request(server.revocation_endpoint(), &form);
    let response = send(&http1(), request).await.unwrap();
    let json: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), json["error"].clone())
}

async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().client("client", "secret");
    builder.client("other", "secret").start().await.unwrap()
}

#[tokio::test]
async fn rfc7009_2_2_a_token_is_revoked_and_an_unknown_one_is_no_error() {
    let server = server().await;
    let (_, json) = request_token(&server, "").await;
    let token = json["access_token"].as_str().unwrap();
    let kept = server.issue_token("");
    for form in [
        format!("&token={token}&token_type_hint=access_token"),
        format!("&token={token}"),
        "&token=unknown&token_type_hint=unknown".into(),
    ] {
        assert_eq!(revoke(&server, &form).await, (200, Value::Null));
    }
    assert!(!server.is_active(token) && server.is_active(&kept));
    assert_eq!(
        (server.revocation_requests(), server.token_requests()),
        (3, 1)
    );
}

#[tokio::test]
async fn rfc7009_2_1_a_refresh_token_is_revoked_with_the_access_tokens_of_its_family() {
    let server = server().await;
    let refresh = server.issue_refresh_token("client", "a");
    let form = format!(
        "grant_type=refresh_token&client_id=client&client_secret=secret&refresh_token={refresh}"
    );
    let response = send(&http1(), token_request(server.token_endpoint(), &form)).await;
    let json: Value = serde_json::from_slice(response.unwrap().body()).unwrap();
    let [access, next] = ["access_token", "refresh_token"].map(|name| json[name].as_str().unwrap());
    assert_eq!(revoke(&server, &format!("&token={next}")).await.0, 200);
    assert!(!server.is_active(access) && !server.is_active_refresh_token(next));
}

#[tokio::test]
async fn rfc7009_2_1_a_client_revokes_its_own_tokens_only() {
    let server = server().await;
    let form = "grant_type=client_credentials&client_id=other&client_secret=secret";
    let response = send(&http1(), token_request(server.token_endpoint(), form)).await;
    let json: Value = serde_json::from_slice(response.unwrap().body()).unwrap();
    let access = json["access_token"].as_str().unwrap();
    let refresh = server.issue_refresh_token("other", "");
    for token in [access, &refresh] {
        let denied = revoke(&server, &format!("&token={token}")).await;
        assert_eq!(denied, (400, "invalid_request".into()));
    }
    assert!(server.is_active(access) && server.is_active_refresh_token(&refresh));
    assert_eq!(revoke(&server, "").await, (400, "invalid_request".into()));
    let wrong = token_request(
        server.revocation_endpoint(),
        "token=a&client_id=client&client_secret=b",
    );
    assert_eq!(
        send(&http1(), wrong).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_revocation_fails_on_demand() {
    let server = server().await;
    let token = server.issue_token("");
    let form = format!("&token={token}");
    server.fail_next_revocation(1, Answer::status(StatusCode::SERVICE_UNAVAILABLE));
    server.fail_all_revocations(Answer::status(StatusCode::BAD_GATEWAY));
    assert_eq!(revoke(&server, &form).await.0, 503);
    assert_eq!(revoke(&server, &form).await.0, 502);
    assert!(server.is_active(&token));
    server.recover();
    assert_eq!(revoke(&server, &form).await.0, 200);
    assert!(!server.is_active(&token));
    server.until_revocation_requests(3).await;
    let mut get = token_request(server.revocation_endpoint(), "");
    *get.method_mut() = http::Method::GET;
    assert_eq!(send(&http1(), get).await.unwrap().headers()[ALLOW], "POST");
}
