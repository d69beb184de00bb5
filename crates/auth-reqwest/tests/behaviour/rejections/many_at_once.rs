//! Many rejections of one token.

use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    Deployment, rejection::assert_one_token_request, reqwest_clients::reqwest_builder,
};
use reqwest_middleware::ClientBuilder;

/// Reported elsewhere: gravitino#12531.
#[tokio::test]
async fn a_thousand_rejections_of_one_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    let client = reqwest_builder().http2_prior_knowledge().build().unwrap();
    let middleware = AuthMiddleware::new(authorizer.clone());
    let client = ClientBuilder::new(client).with(middleware).build();
    let send = || {
        let call = client.get(deployment.api.url()).send();
        tokio::spawn(async move { call.await.unwrap().status() })
    };
    assert_one_token_request(&deployment, &authorizer, send).await;
}
