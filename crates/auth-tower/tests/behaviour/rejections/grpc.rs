//! Rejections by gRPC servers: the status `UNAUTHENTICATED`.

use auth_test_support::{Deployment, authorizations, with_timeout};
use auth_testing::{Answer, EchoClient};
use auth_tower::{Auth, AuthLayer};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tower::Layer;

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
