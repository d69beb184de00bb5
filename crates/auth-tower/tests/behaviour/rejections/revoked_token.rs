//! A revoked token is replaced without an error for the caller, on hyper and tonic.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use auth_core::Authorizer;
use auth_test_support::{
    Deployment, GatedSource, get,
    hyper_clients::{hyper_client, hyper_h2c_client},
    rejection::{assert_bodies, assert_replayed},
};
use auth_testing::EchoClient;
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tonic::transport::Endpoint;
use tower::{Layer, ServiceExt, service_fn};

const BODY: &str = "what is to arrive twice";

fn patch(deployment: &Deployment) -> Request<Full<Bytes>> {
    let request = Request::patch(format!("{}/orders?page=2&a=%20", deployment.api.url()));
    let request = request.header("x-trace", "1").header("x-trace", "2");
    request.body(Full::from(BODY)).unwrap()
}

#[tokio::test]
async fn on_hyper_over_http1() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let response = client.oneshot(patch(&deployment)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_replayed(&deployment, &authorizer);
    assert_bodies(&deployment, BODY);
}

#[tokio::test]
async fn on_hyper_over_http2() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_h2c_client());
    let response = client.oneshot(patch(&deployment)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_replayed(&deployment, &authorizer);
    assert_bodies(&deployment, BODY);
}

/// The extensions of the first attempt are those of the replay.
#[tokio::test]
async fn the_extensions_are_the_same_in_both() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Marker(u32);
    let extensions = Arc::new(Mutex::new(Vec::new()));
    let inner = service_fn(|request: Request<Full<Bytes>>| {
        let mut extensions = extensions.lock().unwrap();
        extensions.push(request.extensions().get().copied());
        let mut response = Response::new(());
        if extensions.len() == 1 {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        async { Ok::<_, Infallible>(response) }
    });
    let authorizer = GatedSource::open().authorizer("https://api.example.com");
    let client = AuthLayer::new(authorizer.clone()).layer(inner);
    let mut request = get("https://api.example.com/");
    request.extensions_mut().insert(Marker(7));
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(*extensions.lock().unwrap(), [Some(Marker(7)); 2]);
}

#[tokio::test]
async fn on_tonic_a_unary_call() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let mut echo = echo(&deployment, &authorizer);
    assert_eq!(echo.unary(BODY).await.unwrap().into_inner(), BODY);
    assert_replayed(&deployment, &authorizer);
}

#[tokio::test]
async fn on_tonic_a_client_streaming_call() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let messages = stream::iter(["a", "b", "c"].map(Bytes::from));
    let joined = echo(&deployment, &authorizer).client_stream(messages).await;
    assert_eq!(joined.unwrap().into_inner(), "abc");
    assert_replayed(&deployment, &authorizer);
}

fn echo(
    deployment: &Deployment,
    authorizer: &Authorizer,
) -> EchoClient<auth_tower::Auth<tonic::transport::Channel>> {
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
    EchoClient::new(layer.layer(endpoint.connect_lazy()))
}
