//! Many rejections of one token.

use auth_test_support::{
    Deployment, get, hyper_clients::hyper_h2c_client, rejection::assert_one_token_request,
};
use auth_tower::AuthLayer;
use tower::{Layer, ServiceExt};

/// Reported elsewhere: gravitino#12531.
#[tokio::test]
async fn a_thousand_rejections_of_one_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_h2c_client());
    let send = || {
        let call = client.clone().oneshot(get(deployment.api.url()));
        tokio::spawn(async move { call.await.unwrap().status() })
    };
    assert_one_token_request(&deployment, &authorizer, send).await;
}
