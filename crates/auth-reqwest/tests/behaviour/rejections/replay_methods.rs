//! Requests whose method is not replayed: the token is refreshed for the next request.

use auth_core::{Authorizer, ReplayMethods};
use auth_test_support::{
    Deployment,
    rejection::{assert_refreshed_without_replay, revoked_with},
    reqwest_clients::reqwest_with,
};
use http::{Method, StatusCode};

async fn by_reqwest(
    deployment: &Deployment,
    authorizer: &Authorizer,
    method: Method,
) -> StatusCode {
    let request = reqwest_with(authorizer.clone()).request(method, deployment.api.url());
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn with_none_a_rejection_is_delivered_and_the_token_refreshed() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::None).await;
    let status = by_reqwest(&deployment, &authorizer, Method::GET).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_post_is_sent_once() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::Idempotent).await;
    let status = by_reqwest(&deployment, &authorizer, Method::POST).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_refreshed_without_replay(&deployment, &authorizer).await;
}

#[tokio::test]
async fn with_idempotent_a_put_is_replayed() {
    let deployment = Deployment::start().await;
    let authorizer = revoked_with(&deployment, ReplayMethods::Idempotent).await;
    let status = by_reqwest(&deployment, &authorizer, Method::PUT).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(deployment.api.request_count(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}
