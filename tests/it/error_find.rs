//! `Error::find` through what wraps an error on its way to the caller: reqwest-middleware,
//! reqwest-retry, anyhow, tower's boxes and tonic's status.

use std::{
    error::Error as StdError,
    future::{Ready, ready},
    io,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use auth_core::{Authorizer, BoxError, Error, ErrorKind};
use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    Deployment, get, hyper_clients::hyper_client, reqwest_clients::reqwest_client,
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use reqwest_retry::{
    RetryTransientMiddleware, Retryable, RetryableStrategy, policies::ExponentialBackoff,
};
use tonic::{Code, Status, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, buffer::Buffer};

/// Returns a deployment whose authorization server denies every client.
async fn denying() -> Deployment {
    let deployment = Deployment::start().await;
    let denied = Answer::oauth_error("invalid_client");
    deployment.authorization.fail_all(denied);
    deployment
}

/// Asserts that the error of the cache is found, with its kind and the time until the next attempt.
fn assert_found(error: &(dyn StdError + 'static)) {
    let found = Error::find(error).unwrap_or_else(|| panic!("not found in {error:?}"));
    assert_eq!(found.kind(), ErrorKind::Denied);
    assert_eq!(found.error_code(), Some("invalid_client"));
    let wait = found
        .retry_after()
        .expect("the time until the next attempt");
    assert!(wait > Duration::from_secs(1), "{wait:?}");
}

/// Returns the error of a token request, as a cache returns it.
async fn denied() -> Error {
    let deployment = denying().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap_err()
}

fn auth(authorizer: Authorizer) -> AuthMiddleware {
    AuthMiddleware::new(authorizer)
}

async fn failure(
    client: &ClientWithMiddleware,
    deployment: &Deployment,
) -> reqwest_middleware::Error {
    client.get(deployment.api.url()).send().await.unwrap_err()
}

#[tokio::test]
async fn through_reqwest_middleware_the_error_is_found_and_downcast() {
    let deployment = denying().await;
    let client = ClientBuilder::new(reqwest_client());
    let client = client.with(auth(deployment.authorizer())).build();
    let error = failure(&client, &deployment).await;
    assert_found(&error);
    assert!(error.to_string().contains("invalid_client"), "{error}");
    let reqwest_middleware::Error::Middleware(error) = error else {
        panic!("expected an error of a middleware");
    };
    assert_eq!(
        error.downcast_ref::<Error>().unwrap().kind(),
        ErrorKind::Denied
    );
    assert_found(error.as_ref());
}

#[tokio::test]
async fn through_reqwest_retry_the_error_is_found() {
    /// Also repeats what our middleware declines, so that the retries wrap its error.
    struct Everything;
    impl RetryableStrategy for Everything {
        fn handle(&self, _: &Result<Response, reqwest_middleware::Error>) -> Option<Retryable> {
            Some(Retryable::Transient)
        }
    }
    let policy = || {
        let bounds = (Duration::ZERO, Duration::from_millis(1));
        let builder = ExponentialBackoff::builder().retry_bounds(bounds.0, bounds.1);
        builder.build_with_max_retries(2)
    };
    let deployment = denying().await;
    let stock = ClientBuilder::new(reqwest_client())
        .with(RetryTransientMiddleware::new_with_policy(policy()))
        .with(auth(deployment.authorizer()))
        .build();
    assert_found(&failure(&stock, &deployment).await);
    let stubborn = ClientBuilder::new(reqwest_client())
        .with(RetryTransientMiddleware::new_with_policy_and_strategy(
            policy(),
            Everything,
        ))
        .with(auth(deployment.authorizer()))
        .build();
    let error = failure(&stubborn, &deployment).await;
    assert!(error.to_string().contains("2 retries"), "{error}");
    assert_found(&error);
    assert_found(anyhow::Error::new(error).as_ref());
}

/// Adds a context to each error, as programs do in a middleware of their own.
struct Contextual;

#[async_trait]
impl Middleware for Contextual {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let outcome = next.run(request, extensions).await;
        Ok(outcome.context("in a middleware")?)
    }
}

#[tokio::test]
async fn through_other_middlewares_the_error_is_found() {
    let deployment = denying().await;
    let client = ClientBuilder::new(reqwest_client())
        .with(Contextual)
        .with(Contextual)
        .with(auth(deployment.authorizer()));
    let error = failure(&client.build(), &deployment).await;
    assert_found(&error);
    let boxed: BoxError = anyhow::Error::new(error).into();
    assert_found(&*boxed);
}

#[tokio::test]
async fn through_anyhow_the_error_is_found() {
    let error = denied().await;
    assert_found(anyhow::Error::new(error.clone()).as_ref());
    assert_found(anyhow::Error::new(error.clone()).context("outer").as_ref());
    let twice = Err::<(), _>(error.clone())
        .context("inner")
        .context("outer");
    let twice = twice.unwrap_err();
    assert_found(twice.as_ref());
    let boxed: BoxError = twice.into();
    assert_found(&*boxed);
    assert_found(&io::Error::other(
        anyhow::Error::new(error).context("outer"),
    ));
}

#[tokio::test]
async fn through_the_boxes_of_tower_the_error_is_found() {
    let deployment = denying().await;
    let authorizer = deployment.authorizer();
    let plain = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let error = plain.oneshot(get(deployment.api.url())).await.unwrap_err();
    assert_found(&*error);

    let stack = ServiceBuilder::new()
        .buffer(4)
        .timeout(Duration::from_secs(60))
        .concurrency_limit(2)
        .buffer(4)
        .layer(AuthLayer::new(authorizer))
        .service(hyper_client());
    let error = stack.oneshot(get(deployment.api.url())).await.unwrap_err();
    assert_found(&*error);
}

/// A service that never becomes ready.
struct NeverReady(Error);

impl Service<()> for NeverReady {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err(self.0.clone().into()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}

/// The error of a service that is not ready reaches the callers of a `Buffer` behind an `Arc`.
#[tokio::test]
async fn through_a_failed_buffer_the_error_is_found() {
    let buffer = Buffer::new(NeverReady(denied().await), 4);
    let error = buffer.oneshot(()).await.unwrap_err();
    assert!(
        error.is::<tower::buffer::error::ServiceError>(),
        "{error:?}"
    );
    assert_found(&*error);
}

#[tokio::test]
async fn through_a_status_the_error_is_found() {
    let deployment = denying().await;
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, deployment.authorizer()).unwrap();
    let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
    let status = health
        .check(HealthCheckRequest::default())
        .await
        .unwrap_err();
    assert_found(&status);
    assert_found(&*BoxError::from(status.clone()));
    assert_found(anyhow::Error::new(status.clone()).context("outer").as_ref());
    assert_found(&io::Error::other(status));
}

/// A status made of the error, or of what wraps it, has it as its source.
#[tokio::test]
async fn in_a_status_that_was_made_of_the_error_the_error_is_found() {
    let error = denied().await;
    let wrapped: [BoxError; 4] = [
        error.clone().into(),
        io::Error::other(error.clone()).into(),
        reqwest_middleware::Error::Middleware(anyhow::Error::new(error.clone()).context("x"))
            .into(),
        anyhow::Error::new(error.clone()).context("x").into(),
    ];
    for wrapped in wrapped {
        let status = Status::from_error(wrapped);
        assert_eq!(status.code(), Code::Unknown);
        assert_found(&status);
    }
    // a status of the authorization server is a cause of the error
    let cause = Status::unavailable("busy");
    let outer = error.with_source(cause);
    assert_found(&Status::from_error(outer.into()));
}
