//! gRPC over a connection: a server that sends its headers early, as grpcio does, and then the status in
//! the trailers.

use std::convert::Infallible;

use auth_core::{Authorizer, TokenCache};
use auth_test_support::{scripted::Scripted, settle, with_timeout};
use auth_testing::EchoClient;
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tonic::{Code, transport::Endpoint};
use tower::Layer;

/// Rejects `t1` in the trailers, some time after the headers. Responds to every other token with an
/// empty message.
async fn respond(
    request: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let is_rejected = request.headers()[AUTHORIZATION] == "Bearer t1";
    let mut trailers = HeaderMap::new();
    let status = HeaderValue::from_static(if is_rejected { "16" } else { "0" });
    trailers.insert("grpc-status", status);
    let message = (!is_rejected).then(|| Frame::data(Bytes::from_static(&[0; 5])));
    let frames = message.into_iter().chain([Frame::trailers(trailers)]);
    let frames = stream::iter(frames).then(async |frame| {
        // the headers are sent before
        settle().await;
        Ok(frame)
    });
    let mut response = Response::new(StreamBody::new(frames));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    Ok(response)
}

#[tokio::test]
async fn after_early_headers_the_next_call_has_another_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let builder = http2::Builder::new(TokioExecutor::new());
        let connection = TokioIo::new(connection);
        drop(
            builder
                .serve_connection(connection, service_fn(respond))
                .await,
        );
    });
    let source = Scripted::expires_in(600);
    let authorizer = Authorizer::builder(TokenCache::new(source.clone())).origin(&api);
    let endpoint = Endpoint::from_shared(api).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.build().unwrap()).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    let status = with_timeout(echo.unary("hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let reply = with_timeout(echo.unary("hello")).await.unwrap();
    assert_eq!(reply.into_inner(), "");
    assert_eq!(source.requests(), 2);
    server.abort();
}
