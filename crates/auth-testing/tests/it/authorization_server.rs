//! Token requests: which are granted, and what the server records of them.

use std::time::Duration;

use auth_testing::{AuthorizationServer, ClientAuthenticationMethod::*};
use http::{
    Method,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, PRAGMA},
};
use serde_json::json;

use crate::client::{BASIC, FORM, POST, http1, http2, request_token, send, server, token_request};

#[tokio::test]
async fn a_token_response_has_the_form_of_rfc_6749() {
    let server = server().await;
    let request = token_request(server.token_endpoint(), &format!("{POST}&scope=b+a"));
    let response = send(&http1(), request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[PRAGMA], "no-cache");
    let json: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let token = json["access_token"].as_str().unwrap();
    assert!(server.is_active(token));
    assert_eq!(
        json,
        json!({"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": "a b"})
    );
}

#[tokio::test]
async fn only_accepted_authentication_methods_are_accepted() {
    let (id, secret) = ("a b", "s+%41");
    let form = "grant_type=client_credentials";
    let basic = "Basic YSUyMGI6cyUyQiUyNTQx"; // a%20b:s%2B%2541
    let raw = "Basic YSBiOnMrJTQx"; // a b:s+%41
    let post = format!("{form}&client_id=a%20b&client_secret=s%2B%2541");
    let cases = [
        (None, [200, 401, 200]),
        (Some(vec![ClientSecretBasic]), [200, 401, 401]),
        (Some(vec![ClientSecretBasicRaw]), [401, 200, 401]),
        (Some(vec![ClientSecretPost]), [401, 401, 200]),
        (Some(vec![]), [401, 401, 401]),
    ];
    for (accepted, expected) in cases {
        let mut builder = AuthorizationServer::builder().client(id, secret);
        if let Some(methods) = &accepted {
            builder = builder.accept(methods.iter().copied());
        }
        let server = builder.start().await.unwrap();
        let mut statuses = Vec::new();
        for (authorization, form) in [(Some(basic), form), (Some(raw), form), (None, &*post)] {
            let mut request = token_request(server.token_endpoint(), form);
            if let Some(value) = authorization {
                let headers = request.headers_mut();
                headers.insert(AUTHORIZATION, value.parse().unwrap());
            }
            statuses.push(send(&http1(), request).await.unwrap().status().as_u16());
        }
        assert_eq!(statuses, expected, "{accepted:?}");
    }
}

#[tokio::test]
async fn clients_are_added_changed_and_removed_while_the_server_runs() {
    let server = AuthorizationServer::builder().start().await.unwrap();
    assert_eq!(request_token(&server, "").await.0, 401);
    server.set_client("client", "secret");
    assert_eq!(request_token(&server, "").await.0, 200);
    server.set_client("client", "rotated");
    assert_eq!(request_token(&server, "").await.0, 401);
    server.set_client("client", "secret");
    server.remove_client("client");
    assert_eq!(request_token(&server, "").await.0, 401);
}

#[tokio::test]
async fn scopes_are_granted_and_echoed_as_configured() {
    let base = || AuthorizationServer::builder().client("client", "secret");
    let open = base().start().await.unwrap();
    assert_eq!(request_token(&open, "").await.1.get("scope"), None);
    assert_eq!(request_token(&open, "&scope=x").await.1["scope"], "x");

    let closed = base().scopes("read write").start().await.unwrap();
    assert_eq!(
        request_token(&closed, "&scope=write").await.1["scope"],
        "write"
    );
    assert_eq!(request_token(&closed, "").await.1["scope"], "read write");
    let (status, json) = request_token(&closed, "&scope=read+admin").await;
    assert_eq!(
        (status.as_u16(), &json["error"]),
        (400, &json!("invalid_scope"))
    );

    let silent = base().echo_scope(false).start().await.unwrap();
    assert_eq!(
        request_token(&silent, "&scope=x").await.1.get("scope"),
        None
    );
}

#[tokio::test]
async fn tokens_have_the_configured_lifetime_and_length() {
    let server = AuthorizationServer::builder()
        .client("client", "secret")
        .token_lifetime(Duration::from_millis(3999))
        .token_length(900)
        .start()
        .await
        .unwrap();
    let (_, json) = request_token(&server, "").await;
    assert_eq!(json["expires_in"], 3);
    assert_eq!(json["access_token"].as_str().unwrap().len(), 900);
    server.set_token_lifetime(Duration::from_secs(60));
    assert_eq!(request_token(&server, "").await.1["expires_in"], 60);

    let silent = AuthorizationServer::builder()
        .client("client", "secret")
        .omit_expires_in();
    let silent = silent.start().await.unwrap();
    assert_eq!(request_token(&silent, "").await.1.get("expires_in"), None);
}

#[tokio::test]
async fn tokens_are_revoked_one_by_one_or_all_at_once() {
    let server = server().await;
    let tokens = [(); 3].map(|()| server.issue_token(""));
    server.revoke(&tokens[0]);
    server.revoke("unknown");
    assert!(!server.is_active(&tokens[0]) && server.is_active(&tokens[1]));
    server.revoke_all();
    assert!(tokens.iter().all(|token| !server.is_active(token)));
    assert_eq!(server.tokens_issued(), 3);
    assert!(
        server.is_active(&server.issue_token("")),
        "a token that was issued after the revocation is active"
    );
}

#[tokio::test]
async fn requests_are_recorded_unchanged() {
    let server = AuthorizationServer::builder()
        .client("client", "secret")
        .token_endpoint_path("/oauth/connect/token")
        .start()
        .await
        .unwrap();
    assert_eq!(
        server.token_endpoint(),
        format!("{}/oauth/connect/token", server.issuer())
    );
    let client = http1();
    let form = "scope=a%20b&grant_type=client_credentials";
    let url = format!("{}?tenant=7", server.token_endpoint());
    let mut request = token_request(url, form);
    request
        .headers_mut()
        .insert(AUTHORIZATION, BASIC.parse().unwrap());
    assert_eq!(send(&client, request).await.unwrap().status(), 200);
    let other_path = token_request(format!("{}/token", server.issuer()), form);
    assert_eq!(send(&client, other_path).await.unwrap().status(), 404);

    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].method(), Method::POST);
    assert_eq!(requests[0].uri(), "/oauth/connect/token?tenant=7");
    assert_eq!(requests[0].headers()[AUTHORIZATION], BASIC);
    assert_eq!(requests[0].headers()[CONTENT_TYPE], FORM);
    assert!(
        server
            .issuer()
            .ends_with(requests[0].headers()[HOST].to_str().unwrap())
    );
    assert_eq!(requests[0].body(), form);
    assert_eq!(
        server.token_requests(),
        1,
        "a request for another path is no token request"
    );

    assert_eq!(server.take_requests().len(), 2);
    assert!(server.requests().is_empty());
    assert_eq!((server.token_requests(), server.connections()), (1, 1));
}

#[tokio::test]
async fn http1_and_http2_share_a_port() {
    let server = server().await;
    for client in [http1(), http2()] {
        let request = token_request(server.token_endpoint(), POST);
        assert_eq!(send(&client, request).await.unwrap().status(), 200);
    }
    let requests = server.requests();
    let versions: Vec<_> = requests.iter().map(http::Request::version).collect();
    assert_eq!(versions, [http::Version::HTTP_11, http::Version::HTTP_2]);
    assert_eq!(requests[0].body(), requests[1].body());
    assert_eq!(server.connections(), 2);
}
