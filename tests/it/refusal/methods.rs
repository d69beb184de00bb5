//! Who wants no second sending gets none; the token is renewed for those who come next.

use auth_core::{Authorizer, ReplayMethods};
use auth_testing::EchoClient;
use auth_tower::{AuthLayer, NoReplay};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use tonic::{Code, transport::Endpoint};
use tower::{Layer, ServiceExt};

use super::reqwest_with;
use crate::support::{
    Deployment,
    clients::{get, hyper_client},
    soon,
};

/// An authorizer of these methods, whose token was revoked.
async fn revoked(deployment: &Deployment, methods: ReplayMethods) -> Authorizer {
    let builder = deployment.builder().origin(deployment.api.url());
    let authorizer = builder.replay_methods(methods).build().unwrap();
    deployment.revoke(&authorizer).await;
    authorizer
}

async fn by_hyper(deployment: &Deployment, authorizer: &Authorizer, method: Method) -> StatusCode {
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let request = Request::builder().method(method).uri(deployment.api.url());
    let response = client.oneshot(request.body(Full::default()).unwrap()).await;
    response.unwrap().status()
}

async fn by_reqwest(
    deployment: &Deployment,
    authorizer: &Authorizer,
    method: Method,
) -> StatusCode {
    let request = reqwest_with(authorizer.clone()).request(method, deployment.api.url());
    request.send().await.unwrap().status()
}

/// The request was sent once, and another token was asked for all the same.
async fn renewed_for_the_next(deployment: &Deployment, authorizer: &Authorizer) {
    assert_eq!(deployment.api.request_count(), 1);
    soon(deployment.authorization.until_token_requests(2)).await;
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 0);
}

#[tokio::test]
async fn with_none_a_refusal_is_delivered_and_the_token_renewed() {
    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::None).await;
    let status = by_hyper(&deployment, &authorizer, Method::GET).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    renewed_for_the_next(&deployment, &authorizer).await;

    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::None).await;
    let status = by_reqwest(&deployment, &authorizer, Method::GET).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    renewed_for_the_next(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_post_is_sent_once() {
    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::Idempotent).await;
    let status = by_hyper(&deployment, &authorizer, Method::POST).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    renewed_for_the_next(&deployment, &authorizer).await;

    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::Idempotent).await;
    let status = by_reqwest(&deployment, &authorizer, Method::POST).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    renewed_for_the_next(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_put_is_sent_again() {
    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::Idempotent).await;
    let status = by_hyper(&deployment, &authorizer, Method::PUT).await;
    assert_eq!(status, StatusCode::OK);
    deployment.revoke(&authorizer).await;
    let status = by_reqwest(&deployment, &authorizer, Method::PUT).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(deployment.api.request_count(), 4);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 2);
}

/// All of gRPC is `POST`.
#[tokio::test]
async fn with_idempotent_a_grpc_call_is_made_once() {
    let deployment = Deployment::start().await;
    let authorizer = revoked(&deployment, ReplayMethods::Idempotent).await;
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    renewed_for_the_next(&deployment, &authorizer).await;
}

#[tokio::test]
async fn a_layer_that_never_replays_renews_all_the_same() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let layer = AuthLayer::new(authorizer.clone()).replay(NoReplay);
    let client = layer.layer(hyper_client());
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    renewed_for_the_next(&deployment, &authorizer).await;
}
