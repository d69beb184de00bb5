//! A gRPC status rejects the token of a gRPC request, in every spelling, and of no other request.

use auth_test_support::{get, scripted::Scripted};
use auth_testing::ManualClock;
use http::{HeaderValue, Response, header::CONTENT_TYPE};

use super::{
    exchange::{bare, exchange, invalid_token},
    test_client::TestClient,
};

const GRPC: &str = "application/grpc";

fn grpc_response(content_type: &str, status: &str) -> Response<()> {
    let mut response = bare(200);
    if !content_type.is_empty() {
        let kind = content_type.parse().unwrap();
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    let status = HeaderValue::from_bytes(status.as_bytes()).unwrap();
    response.headers_mut().insert("grpc-status", status);
    response
}

/// Returns whether `response` rejects the token of a request with this content type.
async fn rejects(content_type: &str, response: Response<()>) -> bool {
    let source = Scripted::expires_in(600);
    let client = TestClient::trusted(source.clone(), ManualClock::new());
    let mut request = get("/echo.Echo/Unary");
    if !content_type.is_empty() {
        let kind = content_type.parse().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, kind);
    }
    exchange(&client.authorizer, &request, async |_| response.clone()).await;
    source.requests() == 2
}

#[tokio::test]
async fn a_grpc_status_rejects_no_token_of_a_request_other_than_grpc() {
    for content_type in [
        "",
        "application/json",
        "text/plain",
        "application/x-protobuf",
        "application/graphql",
        "application/gRP",
        "multipart/form-data; boundary=application/grpc",
    ] {
        let response = grpc_response(GRPC, "16");
        assert!(!rejects(content_type, response).await, "{content_type}");
    }
}

#[tokio::test]
async fn content_types_are_compared_without_case() {
    for request in [
        GRPC,
        "Application/gRPC+proto",
        "APPLICATION/GRPC",
        "application/GRPC+json; charset=utf-8",
        "application/grpc;x=y",
        "application/grpc-web+proto",
        "Application/gRPC-Web-Text",
    ] {
        for response in [GRPC, "Application/gRPC+proto", "application/grpc-web", ""] {
            let rejected = rejects(request, grpc_response(response, "16")).await;
            assert!(rejected, "{request} and {response}");
        }
    }
}

#[tokio::test]
async fn a_grpc_status_of_a_response_other_than_grpc_is_ignored() {
    for content_type in ["text/html", "application/json"] {
        assert!(!rejects(GRPC, grpc_response(content_type, "16")).await);
    }
}

#[tokio::test]
async fn status_16_is_read_with_leading_zeros_and_blanks() {
    for status in [
        "16",
        "016",
        "0000000000000000000000016",
        " 16",
        "16 ",
        "\t16\t",
    ] {
        let rejected = rejects(GRPC, grpc_response(GRPC, status)).await;
        assert!(rejected, "{status:?}");
    }
    for status in [
        "",
        " ",
        "0",
        "00",
        "7",
        "1",
        "6",
        "14",
        "160",
        "1 6",
        "-16",
        "+16",
        "16x",
        "0x10",
        "4294967312",
        "18446744073709551632",
        "é",
    ] {
        let rejected = rejects(GRPC, grpc_response(GRPC, status)).await;
        assert!(!rejected, "{status:?}");
    }
}

#[tokio::test]
async fn http_401_rejects_the_token_of_a_grpc_request() {
    assert!(rejects(GRPC, bare(401)).await);
    assert!(rejects(GRPC, invalid_token(401)).await);
    assert!(rejects(GRPC, invalid_token(403)).await);
    assert!(!rejects(GRPC, bare(403)).await);
    assert!(!rejects(GRPC, bare(503)).await);
}
