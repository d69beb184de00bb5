//! reqwest follows redirects below the middleware. A request that is rejected after a redirect within the
//! origin is replayed only if its method is safe.

use auth_core::Authorizer;
use auth_test_support::{Deployment, reqwest_clients::reqwest_with, with_timeout};
use auth_testing::Answer;
use http::{HeaderValue, Method, StatusCode, header::LOCATION};

/// The outcome of a request that was redirected to `/second`, where the API rejected its token.
struct LedOn {
    deployment: Deployment,
    status: StatusCode,
    /// Kept, because the refresh for the next request ends with the last handle.
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

    /// Returns the method and the path of each request.
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

/// The order has been placed when the API responds with the redirect.
#[tokio::test]
async fn a_redirected_post_is_not_replayed() {
    let led = LedOn::by(StatusCode::SEE_OTHER, Method::POST).await;
    assert_eq!(led.sent(), ["POST /first", "GET /second"]);
    led.was_sent_once_and_refreshed_for_the_next().await;
}

/// Another client may have changed the resource since the first request.
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
