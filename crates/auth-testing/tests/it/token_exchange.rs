//! Token exchange: RFC 8693.

use auth_testing::{AuthorizationServer, AuthorizationServerBuilder};
use http::StatusCode;
use serde_json::Value;

use crate::client::{http1, send, token_request};

const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

fn builder() -> AuthorizationServerBuilder {
    AuthorizationServer::builder().client("client", "secret")
}

async fn exchange(server: &AuthorizationServer, more: &str) -> (StatusCode, Value) {
    let form = format!("{EXCHANGE}&client_id=client&client_secret=secret{more}");
    let request = token_request(server.token_endpoint(), &form);
    let response = send(&http1(), request).await.unwrap();
    let json = serde_json::from_slice(response.body()).unwrap();
    (response.status(), json)
}

#[tokio::test]
async fn an_active_token_is_exchanged_for_one_with_at_most_its_scopes() {
    let server = builder().exchange_tokens().start().await.unwrap();
    let token = server.issue_token("a b");
    let subject = format!("&subject_token={token}&subject_token_type={ACCESS}");
    let (status, json) = exchange(&server, &format!("{subject}&scope=a")).await;
    assert_eq!((status, &json["scope"]), (StatusCode::OK, &"a".into()));
    assert_eq!(json["issued_token_type"], ACCESS);
    assert!(server.is_active(json["access_token"].as_str().unwrap()));
    let (_, json) = exchange(&server, &format!("{subject}&requested_token_type={ACCESS}")).await;
    assert_eq!(json["scope"], "a b");
    let (_, json) = exchange(&server, &format!("{subject}&scope=c")).await;
    assert_eq!(json["error"], "invalid_scope");
}

/// RFC 8693 §2.2.2.
#[tokio::test]
async fn each_mistake_in_an_exchange_has_its_error() {
    let server = builder().exchange_tokens().start().await.unwrap();
    let token = server.issue_token("");
    let subject = format!("&subject_token={token}&subject_token_type={ACCESS}");
    for (more, told) in [
        (String::new(), "subject_token: expected one"),
        (
            format!("&subject_token={token}"),
            "expected subject_token and subject_token_type",
        ),
        (
            format!("&subject_token=junk&subject_token_type={ACCESS}"),
            "subject_token: expected an active access token",
        ),
        (
            format!("{subject}&actor_token={token}"),
            "expected actor_token and actor_token_type",
        ),
        (
            format!("{subject}&actor_token=junk&actor_token_type={ACCESS}"),
            "actor_token: expected an active access token",
        ),
        (
            format!("{subject}&requested_token_type=x"),
            "requested_token_type: expected",
        ),
    ] {
        let (status, json) = exchange(&server, &more).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{json}");
        assert_eq!(json["error"], "invalid_request", "{json}");
        assert!(
            json["error_description"]
                .as_str()
                .unwrap()
                .starts_with(told),
            "{json}"
        );
    }
    server.revoke(&token);
    assert_eq!(exchange(&server, &subject).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_server_exchanges_no_tokens_unless_it_is_told_to() {
    let server = builder().start().await.unwrap();
    let (_, json) = exchange(&server, "").await;
    assert_eq!(json["error"], "unsupported_grant_type");
}
