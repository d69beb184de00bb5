//! reqwest follows redirects below the middleware: what a hop within the origin rejects is replayed
//! only if what led there changed nothing.

use auth_core::Authorizer;
use auth_test_support::{Deployment, reqwest_clients::reqwest_with, with_timeout};
use auth_testing::Answer;
use http::{HeaderValue, Method, StatusCode, header::LOCATION};

/// What came of a request whose first answer led to `/second`, where its token was rejected.
struct LedOn {
    deployment: Deployment,
    status: StatusCode,
    /// Without it the token would not be refreshed for the next request.
    _authorizer: Authorizer,
}

impl LedOn {
    async fn by(redirect: StatusCode, method: Method) -> Self {
        let deployment = Deployment::start().await;
        let authorizer = deployment.revoked().await;
        let location = HeaderValue::from_static("/second");
        let answer = Answer::status(redirect).with_header(LOCATION, location);
        deployment.api.fail_next(1, answer);
        let url = format!("{}/first", deployment.api.url());
        let request = reqwest_with(authorizer.clone()).request(method, url);
        let response = request.body("order").send().await.unwrap();
        Self {
            deployment,
            status: response.status(),
            _authorizer: authorizer,
        }
    }

    /// Method and path of each request.
    fn sent(&self) -> Vec<String> {
        let requests = self.deployment.api.requests();
        let line = |request: &http::Request<_>| format!("{} {}", request.method(), request.uri());
        requests.iter().map(line).collect()
    }

    async fn was_sent_once_and_refreshed_for_the_next(&self) {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED);
        with_timeout(self.deployment.authorization.until_token_requests(2)).await;
    }
}

/// The order is placed when the API says where it is.
#[tokio::test]
async fn a_redirected_post_is_not_replayed() {
    let led = LedOn::by(StatusCode::SEE_OTHER, Method::POST).await;
    assert_eq!(led.sent(), ["POST /first", "GET /second"]);
    led.was_sent_once_and_refreshed_for_the_next().await;
}

/// Others may have changed in between what the first has changed.
#[tokio::test]
async fn a_redirected_put_is_not_replayed() {
    let led = LedOn::by(StatusCode::TEMPORARY_REDIRECT, Method::PUT).await;
    assert_eq!(led.sent(), ["PUT /first", "PUT /second"]);
    led.was_sent_once_and_refreshed_for_the_next().await;
}

#[tokio::test]
async fn a_get_is_replayed_from_the_start() {
    let led = LedOn::by(StatusCode::FOUND, Method::GET).await;
    assert_eq!(led.status, StatusCode::OK);
    assert_eq!(led.sent(), ["GET /first", "GET /second", "GET /first"]);
    assert_eq!(led.deployment.authorization.token_requests(), 2);
}
