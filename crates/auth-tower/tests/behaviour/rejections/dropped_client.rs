//! A client that is dropped while its last request is in flight, as by `oneshot`.

use auth_test_support::{Deployment, get, hyper_clients::hyper_client};
use auth_tower::AuthLayer;
use http::StatusCode;
use tower::{Layer, ServiceExt};

#[tokio::test]
async fn a_request_is_replayed_although_its_client_has_been_dropped() {
    let deployment = Deployment::start().await;
    let layer = AuthLayer::new(deployment.revoked().await);
    let client = layer.layer(hyper_client());
    drop(layer);
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(deployment.authorization.token_requests(), 2);
}
