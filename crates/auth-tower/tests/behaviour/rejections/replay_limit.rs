//! An API that rejects every token receives a request at most twice, and each revoked token is replaced once.

use auth_test_support::{Deployment, get, hyper_clients::hyper_client};
use auth_tower::AuthLayer;
use http::StatusCode;
use tower::{Layer, ServiceExt};

/// Reported elsewhere: ktor#2864.
#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    let deployment = Deployment::start().await;
    deployment.api.reject_all();
    let authorizer = deployment.authorizer();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let status = client
        .oneshot(get(deployment.api.url()))
        .await
        .unwrap()
        .status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.api.request_count(), 2);
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}

/// Reported elsewhere: cf-gears.
#[tokio::test]
async fn three_revocations_in_a_row_are_each_replaced_at_once() {
    let deployment = Deployment::start().await;
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    for _ in 0..4 {
        let response = client
            .clone()
            .oneshot(get(deployment.api.url()))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        deployment.authorization.revoke_all();
    }
    assert_eq!(deployment.authorization.token_requests(), 4);
    assert_eq!(deployment.api.request_count(), 7);
}
