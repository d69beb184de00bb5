//! gRPC-Web, with tonic-web on both sides: its client's layer on either side of ours, and rejections in
//! the headers and in the body.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    time::Duration,
};

use auth_core::{Authorizer, TokenCache};
use auth_test_support::{scripted::Scripted, settle};
use auth_testing::{EchoClient, ManualClock, TokioClock};
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body::Frame;
use http_body_util::StreamBody;
use tonic::{Code, body::Body};
use tonic_web::{GrpcWebClientLayer, GrpcWebLayer};
use tower::{Layer, Service, ServiceBuilder, service_fn};

fn setup() -> (Scripted, Authorizer) {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::builder(source.clone()).clock(ManualClock::new());
    let builder = Authorizer::builder(tokens.build()).origin("https://api.example.com");
    let authorizer = builder.danger_trust_channel(true).build().unwrap();
    (source, authorizer)
}

/// Where a gRPC server puts the status that rejects a token. tonic-web's server leaves headers there, and
/// moves trailers into the body.
#[derive(Clone, Copy, Debug)]
enum Status {
    InHeaders,
    InTrailers,
}

type Frames = Vec<Result<Frame<Bytes>, Infallible>>;

/// A gRPC server that rejects `t1`, and accepts every other token.
fn api(
    rejection: Status,
) -> impl Service<
    Request<Body>,
    Response = Response<Body>,
    Error = Infallible,
    Future = Ready<Result<Response<Body>, Infallible>>,
> + Clone {
    service_fn(move |request: Request<Body>| {
        assert_eq!(request.headers()[CONTENT_TYPE], "application/grpc");
        let status = |code| HeaderMap::from_iter([("grpc-status".parse().unwrap(), code)]);
        let unauthenticated = status(HeaderValue::from_static("16"));
        let accepted = vec![
            Ok(Frame::data(Bytes::from_static(&[0; 5]))),
            Ok(Frame::trailers(status(HeaderValue::from_static("0")))),
        ];
        let is_rejected = request.headers()[AUTHORIZATION] == "Bearer t1";
        let (headers, frames): (HeaderMap, Frames) = match rejection {
            _ if !is_rejected => (HeaderMap::new(), accepted),
            Status::InHeaders => (unauthenticated, Vec::new()),
            Status::InTrailers => (HeaderMap::new(), vec![Ok(Frame::trailers(unauthenticated))]),
        };
        let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
        *response.headers_mut() = headers;
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        ready(Ok(response))
    })
}

/// The layer sees the call as gRPC: tonic-web's client turns the end of the body into trailers below it.
#[tokio::test]
async fn with_the_layer_outside_the_status_in_the_body_gives_the_next_call_another_token() {
    let (source, authorizer) = setup();
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer))
        .layer(GrpcWebClientLayer::new())
        .service(GrpcWebLayer::new().layer(api(Status::InTrailers)));
    let mut echo = EchoClient::new(client);
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn with_the_layer_outside_a_call_with_the_status_in_the_headers_is_replayed() {
    let (source, authorizer) = setup();
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer))
        .layer(GrpcWebClientLayer::new())
        .service(GrpcWebLayer::new().layer(api(Status::InHeaders)));
    let mut echo = EchoClient::new(client);
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "");
    assert_eq!(source.requests(), 2);
}

/// The layer sees gRPC-Web. It does not know the body of tonic-web's requests, and replays none.
#[tokio::test]
async fn with_the_layer_inside_the_status_in_the_headers_gives_the_next_call_another_token() {
    let (source, authorizer) = setup();
    let client = ServiceBuilder::new()
        .layer(GrpcWebClientLayer::new())
        .layer(AuthLayer::new(authorizer))
        .service(GrpcWebLayer::new().layer(api(Status::InHeaders)));
    let mut echo = EchoClient::new(client);
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    settle().await;
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "");
    assert_eq!(source.requests(), 2);
}

/// A known limit: the layer does not read bodies.
#[tokio::test]
async fn with_the_layer_inside_the_status_in_the_body_is_not_classified() {
    let (source, authorizer) = setup();
    let client = ServiceBuilder::new()
        .layer(GrpcWebClientLayer::new())
        .layer(AuthLayer::new(authorizer))
        .service(GrpcWebLayer::new().layer(api(Status::InTrailers)));
    let mut echo = EchoClient::new(client);
    for _ in 0..2 {
        let status = echo.unary("hello").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        settle().await;
    }
    assert_eq!(source.requests(), 1);
}

/// The layer inside sees a body that it cannot record: the call is not replayed, and its response is held.
#[tokio::test(start_paused = true)]
async fn inside_the_client_layer_the_call_after_a_rejection_in_the_headers_has_another_token() {
    let source = Scripted::expires_in(600).latency(Duration::from_millis(50));
    let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
    let builder = Authorizer::builder(tokens.build()).origin("https://api.example.com");
    let authorizer = builder.danger_trust_channel(true).build().unwrap();
    let client = ServiceBuilder::new()
        .layer(GrpcWebClientLayer::new())
        .layer(AuthLayer::new(authorizer))
        .service(GrpcWebLayer::new().layer(api(Status::InHeaders)));
    let mut echo = EchoClient::new(client);
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    echo.unary("hello").await.unwrap();
    assert_eq!(source.requests(), 2);
}
