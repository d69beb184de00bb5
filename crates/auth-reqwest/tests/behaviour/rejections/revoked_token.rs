//! A revoked token is replaced without an error for the caller.

use auth_test_support::{
    Deployment,
    rejection::{assert_bodies, assert_replayed},
    reqwest_clients::reqwest_with,
};
use http::StatusCode;

const BODY: &str = "what is to arrive twice";

#[tokio::test]
async fn a_request_is_replayed_with_another_token() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let request = reqwest_with(authorizer.clone())
        .patch(format!("{}/orders?page=2&a=%20", deployment.api.url()))
        .header("x-trace", "1")
        .header("x-trace", "2")
        .body(BODY);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_replayed(&deployment, &authorizer);
    assert_bodies(&deployment, BODY);
}
