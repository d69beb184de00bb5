//! gRPC behind the token check.

use auth_testing::{Answer, AuthorizationServer, EchoClient, ProtectedApi};
use bytes::Bytes;
use futures_util::stream;
use http::{Method, header::CONTENT_TYPE};
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::client::{api_request, http2, send, server};

#[derive(Clone)]
struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).unwrap();
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

async fn started() -> (AuthorizationServer, ProtectedApi) {
    let server = server().await;
    let api = ProtectedApi::start(&server).await.unwrap();
    (server, api)
}

fn channel(api: &ProtectedApi) -> Channel {
    Endpoint::from_shared(api.url()).unwrap().connect_lazy()
}

fn authorized(api: &ProtectedApi, token: &str) -> InterceptedService<Channel, Bearer> {
    InterceptedService::new(channel(api), Bearer(token.to_owned()))
}

#[tokio::test]
async fn the_health_service_accepts_an_active_token() {
    let (server, api) = started().await;
    let mut health = HealthClient::new(authorized(&api, &server.issue_token("")));
    let check = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(check.into_inner().status(), ServingStatus::Serving);
    let watch = health.watch(HealthCheckRequest::default()).await.unwrap();
    let first = watch.into_inner().message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    server.revoke_all();
    let rejected = health.check(HealthCheckRequest::default()).await;
    assert_eq!(rejected.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(
        (api.rejections(), api.request_count(), api.connections()),
        (1, 3, 1)
    );
    assert_eq!(
        api.requests()[0].uri().path(),
        "/grpc.health.v1.Health/Check"
    );
}

#[tokio::test]
async fn a_rejection_is_trailers_only() {
    let (server, api) = started().await;
    let url = format!("{}/grpc.health.v1.Health/Check", api.url());
    let mut request = api_request(url, "unknown");
    *request.method_mut() = Method::POST;
    let content_type = "Application/gRPC+proto".parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, content_type);
    let rejected = send(&http2(), request.clone()).await.unwrap();
    assert_eq!(rejected.status(), 200);
    assert_eq!(rejected.headers()["grpc-status"], "16");
    assert_eq!(rejected.headers()[CONTENT_TYPE], "application/grpc");
    assert!(rejected.body().is_empty());

    api.require_scope("write");
    let token = format!("Bearer {}", server.issue_token("read"));
    request
        .headers_mut()
        .insert("authorization", token.parse().unwrap());
    let rejected = send(&http2(), request).await.unwrap();
    assert_eq!(rejected.headers()["grpc-status"], "7");
}

#[tokio::test]
async fn methods_of_all_four_kinds_are_echoed() {
    let (server, api) = started().await;
    let mut echo = EchoClient::new(authorized(&api, &server.issue_token("")));
    let messages = || stream::iter(["a", "bc", ""].map(Bytes::from));
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "hello");
    let joined = echo.client_stream(messages()).await.unwrap().into_inner();
    assert_eq!(joined, "abc");
    let mut echoes = echo.server_stream("hello").await.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(echoes.message().await.unwrap().unwrap(), "hello");
    }
    assert!(echoes.message().await.unwrap().is_none());
    let mut echoes = echo.bidi(messages()).await.unwrap().into_inner();
    for message in ["a", "bc", ""] {
        assert_eq!(echoes.message().await.unwrap().unwrap(), message);
    }
    assert!(echoes.message().await.unwrap().is_none());
    // five bytes of framing precede each message
    assert_eq!(api.requests()[0].body().as_ref(), b"\0\0\0\0\x05hello");
    assert_eq!(api.requests()[1].body().len(), 3 * 5 + 3);
}

#[tokio::test]
async fn a_client_stream_is_rejected_while_it_is_open() {
    let (server, api) = started().await;
    let token = server.issue_token("");
    let mut echo = EchoClient::new(authorized(&api, &token));
    api.reject_next(2);
    let rejected = echo.client_stream(stream::pending()).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unauthenticated);
    let rejected = echo.bidi(stream::pending()).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_bidirectional_stream_answers_message_by_message() {
    let (server, api) = started().await;
    let mut echo = EchoClient::new(authorized(&api, &server.issue_token("")));
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let messages = stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    let mut echoes = echo.bidi(messages).await.unwrap().into_inner();
    for message in ["one", "two"] {
        sender.send(Bytes::from(message)).await.unwrap();
        assert_eq!(echoes.message().await.unwrap().unwrap(), message);
    }
    drop(sender);
    assert!(echoes.message().await.unwrap().is_none());
}

#[tokio::test]
async fn answers_and_unknown_methods_have_their_status() {
    let (server, api) = started().await;
    let token = server.issue_token("");
    let mut echo = EchoClient::new(authorized(&api, &token));
    api.fail_next(1, Answer::from(Status::unavailable("on demand")));
    let failed = echo.unary("hello").await.unwrap_err();
    assert_eq!(
        (failed.code(), failed.message()),
        (Code::Unavailable, "on demand")
    );
    assert_eq!(api.rejections(), 0);

    let mut request = api_request(format!("{}/no.Such/Method", api.url()), &token);
    *request.method_mut() = Method::POST;
    let content_type = "application/grpc".parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, content_type);
    let response = send(&http2(), request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");

    let mut without_token = EchoClient::new(channel(&api));
    let rejected = without_token.unary("hello").await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unauthenticated);
}
