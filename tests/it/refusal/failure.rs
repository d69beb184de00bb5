//! When no other token can be had, the caller gets what the API said.

use auth_core::ErrorKind;
use auth_testing::{Answer, EchoClient, ManualClock, TokioClock};
use auth_tower::AuthLayer;
use http::{HeaderValue, StatusCode, header::ETAG};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use tonic::{Code, Status, transport::Endpoint};
use tower::{Layer, ServiceExt};

use super::{reqwest_with, world::World};
use crate::{
    cache::{
        secs,
        source::{self, Scripted},
    },
    support::{
        Deployment,
        clients::{get, hyper_client},
    },
};

const REASON: &str = "this token was revoked";

/// A deployment whose API refuses the first request, and whose authorization server is down by then.
async fn refusing_without_renewal() -> (Deployment, auth_core::Authorizer) {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap();
    let refused = Answer::status(StatusCode::UNAUTHORIZED)
        .with_header(ETAG, HeaderValue::from_static("\"original\""))
        .with_body(REASON);
    deployment.api.fail_next(1, refused);
    let down = Answer::status(StatusCode::SERVICE_UNAVAILABLE);
    deployment.authorization.fail_all(down);
    (deployment, authorizer)
}

/// One request to the API; and the next finds the refused token, for want of a better one.
async fn the_refused_token_stays(deployment: &Deployment, authorizer: &auth_core::Authorizer) {
    assert_eq!(deployment.api.request_count(), 1);
    assert_eq!(deployment.authorization.token_requests(), 2);
    let status = authorizer.tokens().unwrap().status();
    assert_eq!((status.replays, status.failures_in_a_row), (0, 1));
    let current = authorizer.tokens().unwrap().cached().unwrap();
    assert_eq!(current.generation(), 1);
}

#[tokio::test]
async fn on_hyper_a_failed_renewal_delivers_the_original_response() {
    let (deployment, authorizer) = refusing_without_renewal().await;
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let response = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[ETAG], "\"original\"");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, REASON);
    the_refused_token_stays(&deployment, &authorizer).await;
}

#[tokio::test]
async fn on_reqwest_a_failed_renewal_delivers_the_original_response() {
    let (deployment, authorizer) = refusing_without_renewal().await;
    let request = reqwest_with(authorizer.clone()).get(deployment.api.url());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[ETAG], "\"original\"");
    assert_eq!(response.text().await.unwrap(), REASON);
    the_refused_token_stays(&deployment, &authorizer).await;
}

#[tokio::test]
async fn on_tonic_a_failed_renewal_delivers_the_original_status() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap();
    let refused = Status::unauthenticated(REASON);
    deployment.api.fail_next(1, Answer::from(refused));
    let down = Answer::status(StatusCode::SERVICE_UNAVAILABLE);
    deployment.authorization.fail_all(down);
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    let status = echo.unary("hello").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), REASON);
    the_refused_token_stays(&deployment, &authorizer).await;
}

#[tokio::test]
async fn after_a_failed_renewal_a_refusal_waits_for_nothing_and_asks_for_nothing() {
    let source = Scripted::lives(600)
        .then(source::Answer::Lives(secs(600)))
        .then(source::Answer::fails(ErrorKind::Unavailable));
    let clock = ManualClock::new();
    let world = World::new(source.clone(), clock.clone());
    world.api.revoke("t1");
    for _ in 0..3 {
        let (status, body) = world.fetch("/").await;
        assert_eq!(
            (status, &body[..]),
            (StatusCode::UNAUTHORIZED, &b"not t1"[..])
        );
    }
    assert_eq!(source.requests(), 2);
    clock.advance(secs(2));
    assert_eq!(
        world.get("/").await,
        StatusCode::OK,
        "when the pause is over"
    );
    assert_eq!(source.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_delivers_the_original_response_when_its_time_is_over() {
    let source = Scripted::always(source::Answer::Hangs);
    let source = source.then(source::Answer::Lives(secs(600)));
    let world = World::new(source.clone(), TokioClock::new());
    world.tokens().token().await.unwrap();
    let start = Instant::now();
    let (status, body) = world.fetch("/bad").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, "not t1");
    let took = start.elapsed();
    assert!(secs(10) <= took && took < secs(11), "{took:?}");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn the_refused_token_serves_others_until_its_replacement_lands() {
    let source = Scripted::lives(600);
    let world = World::new(source.clone(), ManualClock::new());
    world.tokens().token().await.unwrap();
    let _held = source.clone().hold();
    let mut refused = task::spawn(world.fetch("/bad"));
    assert_pending!(refused.poll());
    assert_eq!(world.get("/good").await, StatusCode::OK);
    assert_eq!(world.api.shown(), ["t1", "t1"]);
    source.release();
    assert_eq!(refused.await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(world.get("/good").await, StatusCode::OK);
    assert_eq!(world.api.shown()[2..], ["t2", "t2"]);
}

/// It is worse than the one it replaces by the cache's own lights; but that one was refused.
#[tokio::test]
async fn a_replacement_that_arrives_spent_is_sent() {
    let source = Scripted::lives(600)
        .then(source::Answer::Lives(secs(600)))
        .then(source::Answer::Lives(secs(0)));
    let world = World::new(source.clone(), ManualClock::new());
    world.api.revoke("t1");
    assert_eq!(world.get("/").await, StatusCode::OK);
    assert_eq!(world.api.shown(), ["t1", "t2"]);
}

/// The renewal was under way because the token was due; then that was refused as well.
#[tokio::test]
async fn a_renewal_in_the_background_that_a_refusal_joins_may_bring_a_spent_token() {
    let source = Scripted::lives(600)
        .then(source::Answer::Lives(secs(600)))
        .then(source::Answer::Lives(secs(0)));
    let clock = ManualClock::new();
    let world = World::new(source.clone(), clock.clone());
    world.tokens().token().await.unwrap();
    clock.advance(secs(500));
    let _held = source.clone().hold();
    world.api.revoke("t1");
    let mut refused = task::spawn(world.fetch("/"));
    assert_pending!(refused.poll());
    source.release();
    assert_eq!(refused.await.0, StatusCode::OK);
    assert_eq!(world.api.shown(), ["t1", "t2"]);
    assert_eq!(source.requests(), 2);
}
