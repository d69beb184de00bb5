//! Requests whose method is not replayed: the token is refreshed for the next request.

use auth_core::{Authorizer, ReplayMethods};
use auth_test_support::{
    Deployment, get,
    hyper_clients::hyper_client,
    rejection::{assert_refreshed_without_replay, revoked_with},
};
use auth_testing::EchoClient;
use auth_tower::{AuthLayer, NoReplay};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use tonic::{Code, transport::Endpoint};
use tower::{Layer, ServiceExt};

async fn by_hyper(deployment: &Deployment, authorizer: &Authorizer, method: Method) -> StatusCode {
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let request = Request::builder().method(method).uri(deployment.api.url());
    let response = client.oneshot(request.body(Full::default()).unwrap()).await;
    response.unwrap().status()
}

#[tokio::test]
async fn with_none_a_rejection_is_delivered_and_the_token_refreshed() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::None).await;
    let status = by_hyper(&deployment, &authorizer, Method::GET).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_post_is_sent_once() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::Idempotent).await;
    let status = by_hyper(&deployment, &authorizer, Method::POST).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_put_is_replayed() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::Idempotent).await;
    let status = by_hyper(&deployment, &authorizer, Method::PUT).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(deployment.api.request_count(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}

/// Every gRPC call is a `POST`.
#[tokio::test]
async fn with_idempotent_a_grpc_call_is_made_once() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::Idempotent).await;
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}

#[tokio::test]
async fn a_layer_that_never_replays_refreshes_the_token() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let layer = AuthLayer::new(authorizer.clone()).replay(NoReplay);
    let client = layer.layer(hyper_client());
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}
