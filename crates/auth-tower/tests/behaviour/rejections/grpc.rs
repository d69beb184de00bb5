//! Rejections by gRPC servers: the status `UNAUTHENTICATED`.

use std::convert::Infallible;

use auth_test_support::{Deployment, GatedSource, authorizations, with_timeout};
use auth_testing::{Answer, EchoClient};
use auth_tower::{Auth, AuthLayer};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::mpsc;
use tonic::{
    Code, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::{Layer, service_fn};

fn echo(deployment: &Deployment, authorizer: auth_core::Authorizer) -> EchoClient<Auth<Channel>> {
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer).unwrap();
    EchoClient::new(layer.layer(endpoint.connect_lazy()))
}

/// The rejection arrives while the caller still sends. The messages sent so far are replayed, and then the
/// stream continues.
#[tokio::test]
async fn an_open_client_stream_continues_in_the_replay() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let mut echo = echo(&deployment, authorizer.clone());
    let (say, heard) = mpsc::channel(1);
    let spoken = stream::unfold(heard, |mut heard| async {
        heard.recv().await.map(|message| (message, heard))
    });
    let call = tokio::spawn(async move { echo.client_stream(spoken).await });
    say.send(Bytes::from("prefix, ")).await.unwrap();
    with_timeout(deployment.api.until_requests(2)).await;
    for message in ["then ", "the rest"] {
        say.send(Bytes::from(message)).await.unwrap();
    }
    drop(say);
    let joined = with_timeout(call).await.unwrap().unwrap().into_inner();
    assert_eq!(joined, "prefix, then the rest");
    let shown = authorizations(&deployment.api);
    assert_eq!(shown.len(), 2);
    assert_ne!(shown[0], shown[1]);
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}

#[tokio::test]
async fn another_status_is_delivered_and_starts_no_refresh() {
    for code in [
        Code::PermissionDenied,
        Code::Unavailable,
        Code::Internal,
        Code::ResourceExhausted,
        Code::Unknown,
    ] {
        let deployment = Deployment::start().await;
        let answer = Answer::from(Status::new(code, "no"));
        deployment.api.fail_next(1, answer);
        let mut echo = echo(&deployment, deployment.authorizer());
        let status = echo.unary("hello").await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "no"));
        assert_eq!(deployment.api.request_count(), 1);
        assert_eq!(deployment.authorization.token_requests(), 1);
    }
}

/// One empty message, then `UNAUTHENTICATED` in the trailers.
fn rejected_late() -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("16"));
    let message = Bytes::from_static(&[0; 5]);
    let frames = [Frame::data(message), Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    let mut response = Response::new(Body::new(body));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}

#[tokio::test]
async fn a_status_after_a_message_is_not_classified() {
    let source = GatedSource::open();
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(rejected_late()));
    let builder = auth_core::Authorizer::builder(source.cache()).origin("https://api.example.com");
    let authorizer = builder.danger_trust_channel(true).build().unwrap();
    let client = AuthLayer::new(authorizer.clone()).layer(inner);
    let replies = EchoClient::new(client).server_stream("hello").await;
    let mut replies = replies.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap(), "");
    let status = replies.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(source.requests(), 1);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 0);
}
