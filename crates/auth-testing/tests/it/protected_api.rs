//! Requests to a protected API (RFC 6750): which are accepted, and what the API records of them.

use auth_testing::ProtectedApi;
use bytes::Bytes;
use futures_util::stream;
use http::{
    Method, Request,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{api_request, http1, http2, send, server};

#[tokio::test]
async fn an_active_token_is_accepted() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let token = server.issue_token("");
    for client in [http1(), http2()] {
        let mut request = api_request(format!("{}/orders?page=2", api.url()), &token);
        *request.method_mut() = Method::PUT;
        *request.body_mut() = Full::from("hello world");
        let response = send(&client, request).await.unwrap();
        assert_eq!(response.status(), 200);
        let json: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            json,
            json!({"method": "PUT", "path": "/orders?page=2", "body_length": 11})
        );
    }
    assert_eq!(api.statuses(), [200, 200]);
    assert_eq!(
        (api.request_count(), api.connections(), api.rejections()),
        (2, 2, 0)
    );

    let requests = api.take_requests();
    assert_eq!(requests[0].uri(), "/orders?page=2");
    assert_eq!(
        requests[0].headers()[AUTHORIZATION],
        format!("Bearer {token}")
    );
    assert_eq!(requests[0].body(), "hello world");
    assert_eq!(requests[1].version(), http::Version::HTTP_2);
    assert!(api.requests().is_empty());
    assert_eq!(api.request_count(), 2);
}

#[tokio::test]
async fn each_rejection_has_its_challenge() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let narrow = format!("Bearer {}", server.issue_token("read"));
    let revoked = server.issue_token("read write");
    server.revoke(&revoked);
    api.require_scope("write read");
    let cases: [(&[&str], u16, &str); 6] = [
        (&[], 401, "Bearer"),
        (&["Basic Y2xpZW50OnNlY3JldA=="], 401, "Bearer"),
        (&["Bearer unknown"], 401, r#"Bearer error="invalid_token""#),
        (
            &[&format!("Bearer {revoked}")],
            401,
            r#"Bearer error="invalid_token""#,
        ),
        (
            &[&narrow, &narrow],
            400,
            r#"Bearer error="invalid_request""#,
        ),
        (
            &[&narrow],
            403,
            r#"Bearer error="insufficient_scope", scope="read write""#,
        ),
    ];
    for (values, status, challenge) in cases {
        let mut request = Request::get(api.url()).body(Full::default()).unwrap();
        for value in values {
            let headers = request.headers_mut();
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let response = send(&http1(), request).await.unwrap();
        assert_eq!(response.status(), status, "{values:?}");
        assert_eq!(response.headers()[WWW_AUTHENTICATE], challenge);
    }
    assert_eq!(api.rejections(), 6);

    let mut wide = api_request(api.url(), &server.issue_token("read write other"));
    assert_eq!(send(&http1(), wide.clone()).await.unwrap().status(), 200);
    api.require_scope("");
    wide.headers_mut()
        .insert(AUTHORIZATION, narrow.parse().unwrap());
    assert_eq!(send(&http1(), wide).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_streamed_body_is_read_to_its_end() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let chunks = (0..100).map(|n| vec![n; 10_000]);
    let whole: Vec<u8> = chunks.clone().flatten().collect();
    let frames = chunks.map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::from(chunk))));
    let body = StreamBody::new(stream::iter(frames));
    let request = api_request(api.url(), &server.issue_token("")).map(|_| body);
    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let mut request = request;
    *request.method_mut() = Method::POST;
    let response = client.request(request).await.unwrap();
    let json = response.into_body().collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["body_length"], 1_000_000);
    assert!(api.requests()[0].body() == &whole);
}

/// Sends a head, waits until it has arrived, and then sends the body, or does not. Returns the start
/// of the response.
async fn late_body(api: &ProtectedApi, token: &str, body_after_head: bool) -> String {
    let requests_before = api.request_count();
    let authority = api.url().replace("http://", "");
    let mut stream = TcpStream::connect(&authority).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {token}\r\n\
         content-length: 5\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    api.until_requests(requests_before + 1).await;
    if body_after_head {
        stream.write_all(b"hello").await.unwrap();
    }
    let mut response = vec![0; 12];
    stream.read_exact(&mut response).await.unwrap();
    String::from_utf8(response).unwrap()
}

#[tokio::test]
async fn rejections_wait_for_the_body_by_default() {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    let token = server.issue_token("");
    assert_eq!(late_body(&api, "unknown", true).await, "HTTP/1.1 401");
    assert_eq!(api.requests()[0].body(), "hello");
    api.reject_early(true);
    assert_eq!(late_body(&api, "unknown", false).await, "HTTP/1.1 401");
    assert_eq!(api.requests()[1].body(), "");
    assert_eq!(late_body(&api, &token, true).await, "HTTP/1.1 200");
    assert_eq!(api.requests()[2].body(), "hello");
}
