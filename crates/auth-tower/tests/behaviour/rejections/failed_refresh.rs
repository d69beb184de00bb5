//! If no other token is obtained, the caller receives the response of the API.

use auth_test_support::{
    get,
    hyper_clients::hyper_client,
    rejection::{REASON, assert_rejected_token_stays, refresh_fails_after, rejected},
};
use auth_testing::{Answer, EchoClient};
use auth_tower::AuthLayer;
use http::{StatusCode, header::ETAG};
use http_body_util::BodyExt;
use tonic::{Code, Status, transport::Endpoint};
use tower::{Layer, ServiceExt};

#[tokio::test]
async fn on_hyper_a_failed_refresh_delivers_the_original_response() {
    let (deployment, authorizer) = refresh_fails_after(rejected()).await;
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[ETAG], "\"original\"");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, REASON);
    assert_rejected_token_stays(&deployment, &authorizer);
}

#[tokio::test]
async fn on_tonic_a_failed_refresh_delivers_the_original_status() {
    let rejection = Answer::from(Status::unauthenticated(REASON));
    let (deployment, authorizer) = refresh_fails_after(rejection).await;
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), REASON);
    assert_rejected_token_stays(&deployment, &authorizer);
}
