//! The layer combined with tower's layers: buffer, concurrency limit and retry.

use std::{
    fmt::Debug,
    future::{Ready, ready},
};

use auth_core::BoxError;
use auth_test_support::{Deployment, authorizations, get, hyper_clients::hyper_client};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, retry::Policy};

/// Retries a request a given number of times, while the response is a 503.
#[derive(Clone, Debug)]
struct WhileUnavailable(usize);

impl<B: Clone, Out, E> Policy<Request<B>, Response<Out>, E> for WhileUnavailable {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        outcome: &mut Result<Response<Out>, E>,
    ) -> Option<Ready<()>> {
        let unavailable = matches!(outcome, Ok(r) if r.status() == StatusCode::SERVICE_UNAVAILABLE);
        self.0 = self.0.checked_sub(1).filter(|_| unavailable)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

/// Starts a deployment whose API responds to every request with a 503.
async fn unavailable() -> Deployment {
    let deployment = Deployment::start().await;
    let answer = Answer::status(StatusCode::SERVICE_UNAVAILABLE);
    deployment.api.fail_all(answer);
    deployment
}

/// Asserts that there were exactly three attempts, each with one token.
fn three_attempts(deployment: &Deployment) {
    let seen = authorizations(&deployment.api);
    assert_eq!(seen.len(), 3);
    for values in seen {
        assert_eq!(values.len(), 1);
        let token = values[0].strip_prefix("Bearer ").unwrap();
        assert!(deployment.authorization.is_active(token));
    }
}

/// Asserts that twenty concurrent requests succeed and make one token request.
async fn twenty_share_a_token<S, B>(deployment: &Deployment, client: S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug> + Clone,
{
    let calls = (0..20).map(|_| client.clone().oneshot(get(deployment.api.url())));
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn under_a_buffer() {
    let deployment = Deployment::start().await;
    let client = ServiceBuilder::new()
        .buffer(4)
        .layer(AuthLayer::new(deployment.authorizer()))
        .service(hyper_client());
    twenty_share_a_token(&deployment, client).await;
}

#[tokio::test]
async fn over_a_buffer() {
    let deployment = Deployment::start().await;
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(deployment.authorizer()))
        .buffer(4)
        .service(hyper_client());
    twenty_share_a_token(&deployment, client).await;
}

#[tokio::test]
async fn within_and_around_a_concurrency_limit() {
    let deployment = Deployment::start().await;
    let client = ServiceBuilder::new()
        .concurrency_limit(8)
        .layer(AuthLayer::new(deployment.authorizer()))
        .concurrency_limit(1)
        .service(hyper_client());
    twenty_share_a_token(&deployment, client).await;
}

#[tokio::test]
async fn under_a_retry_every_attempt_carries_one_token() {
    let deployment = unavailable().await;
    let client = ServiceBuilder::new()
        .retry(WhileUnavailable(2))
        .layer(AuthLayer::new(deployment.authorizer()))
        .service(hyper_client());
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    three_attempts(&deployment);
}

#[tokio::test]
async fn over_a_retry_every_attempt_carries_one_token() {
    let deployment = unavailable().await;
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(deployment.authorizer()))
        .retry(WhileUnavailable(2))
        .service(hyper_client());
    client.oneshot(get(deployment.api.url())).await.unwrap();
    three_attempts(&deployment);
}

#[tokio::test]
async fn in_a_whole_stack_behind_a_boxed_service() {
    let deployment = Deployment::start().await;
    let client = ServiceBuilder::new()
        .boxed_clone()
        .buffer(8)
        .concurrency_limit(4)
        .retry(WhileUnavailable(1))
        .map_err(|e: BoxError| e)
        .layer(AuthLayer::new(deployment.authorizer()))
        .map_response(|response: Response<_>| response)
        .service(hyper_client());
    let request = Request::post(deployment.api.url()).body(Full::<Bytes>::from("hello"));
    let response = client.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(deployment.api.requests()[0].body(), "hello");
}

#[tokio::test]
async fn one_layer_serves_several_clients_with_one_token() {
    let deployment = Deployment::start().await;
    let layer = AuthLayer::new(deployment.authorizer());
    for client in [
        layer.layer(hyper_client()),
        layer.clone().layer(hyper_client()),
    ] {
        let response = client.oneshot(get(deployment.api.url())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
}
