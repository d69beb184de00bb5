//! If no other token is obtained, the caller receives the response of the API.

use auth_test_support::{
    rejection::{REASON, assert_rejected_token_stays, refresh_fails_after, rejected},
    reqwest_clients::reqwest_with,
};
use http::{StatusCode, header::ETAG};

#[tokio::test]
async fn a_failed_refresh_delivers_the_original_response() {
    let (deployment, authorizer) = refresh_fails_after(rejected()).await;
    let request = reqwest_with(authorizer.clone()).get(deployment.api.url());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[ETAG], "\"original\"");
    assert_eq!(response.text().await.unwrap(), REASON);
    assert_rejected_token_stays(&deployment, &authorizer);
}
