//! Denied token requests (RFC 6749 §5.2), and requests that are no token requests.

use http::{
    Method,
    header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde_json::Value;

use crate::client::{BASIC, POST, http1, send, server, token_request};

const GRANT: &str = "grant_type=client_credentials";

#[tokio::test]
async fn each_mistake_in_a_token_request_has_its_error() {
    let server = server().await;
    let cases = [
        // Authorization header, form, status, error
        (
            None,
            "client_id=client&client_secret=secret",
            400,
            "invalid_request",
        ),
        (
            None,
            "grant_type=password&client_id=client&client_secret=secret",
            400,
            "unsupported_grant_type",
        ),
        (
            None,
            &*format!("{POST}&scope=a&scope=b"),
            400,
            "invalid_request",
        ),
        (None, GRANT, 401, "invalid_client"),
        (
            None,
            &format!("{GRANT}&client_id=client&client_secret=wrong"),
            401,
            "invalid_client",
        ),
        (
            None,
            &format!("{GRANT}&client_id=unknown&client_secret=secret"),
            401,
            "invalid_client",
        ),
        (Some("Basic Y2xpZW50Ondyb25n"), GRANT, 401, "invalid_client"),
        (
            Some("Bearer Y2xpZW50OnNlY3JldA=="),
            GRANT,
            401,
            "invalid_client",
        ),
        (Some(BASIC), POST, 400, "invalid_request"),
        (
            Some(BASIC),
            &format!("{GRANT}&client_id=other"),
            400,
            "invalid_request",
        ),
    ];
    for (authorization, form, status, error) in cases {
        let mut request = token_request(server.token_endpoint(), form);
        if let Some(value) = authorization {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let response = send(&http1(), request).await.unwrap();
        let json: Value = serde_json::from_slice(response.body()).unwrap();
        let case = format!("{authorization:?} {form}: {json}");
        assert_eq!(response.status(), status, "{case}");
        assert_eq!(json["error"], error, "{case}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let expected = authorization.is_some() && status == 401;
        assert_eq!(challenge.is_some(), expected, "{case}");
        assert!(challenge.is_none_or(|value| value.to_str().unwrap().starts_with("Basic ")));
    }
    assert_eq!(
        (server.tokens_issued(), server.token_requests()),
        (0, cases.len())
    );
}

#[tokio::test]
async fn basic_authentication_allows_the_same_client_id_in_the_form() {
    let server = server().await;
    let mut request = token_request(
        server.token_endpoint(),
        &format!("{GRANT}&client_id=client"),
    );
    request
        .headers_mut()
        .insert(AUTHORIZATION, BASIC.parse().unwrap());
    assert_eq!(send(&http1(), request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn two_authorization_headers_are_an_invalid_request() {
    let server = server().await;
    let mut request = token_request(server.token_endpoint(), GRANT);
    for _ in 0..2 {
        request
            .headers_mut()
            .append(AUTHORIZATION, BASIC.parse().unwrap());
    }
    assert_eq!(send(&http1(), request).await.unwrap().status(), 400);
}

#[tokio::test]
async fn client_credentials_in_the_uri_are_an_invalid_request() {
    let server = server().await;
    for query in ["client_id=client", "a=b&client_secret=secret"] {
        let url = format!("{}?{query}", server.token_endpoint());
        let response = send(&http1(), token_request(url, POST)).await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
}

#[tokio::test]
async fn a_token_request_is_a_posted_form() {
    let server = server().await;
    let mut get = token_request(server.token_endpoint(), POST);
    *get.method_mut() = Method::GET;
    let response = send(&http1(), get).await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[ALLOW], "POST");

    let mut json = token_request(server.token_endpoint(), POST);
    let headers = json.headers_mut();
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    let response = send(&http1(), json).await.unwrap();
    assert_eq!(response.status(), 400);
}
