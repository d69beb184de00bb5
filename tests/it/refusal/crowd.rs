//! Many refusals of one token.

use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use auth_testing::ManualClock;
use auth_tower::AuthLayer;
use futures_util::future::join_all;
use http::StatusCode;
use reqwest_middleware::ClientBuilder;
use tokio::task::JoinHandle;
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt};

use super::world::World;
use crate::{
    cache::source::Scripted,
    support::{
        Deployment,
        clients::{get, hyper_h2c_client, reqwest_builder},
        soon,
    },
};

const CROWD: usize = 1000;

/// All requests are at the API, with the same token, before the first is refused.
async fn one_token_request(
    deployment: &Deployment,
    authorizer: &Authorizer,
    send: impl Fn() -> JoinHandle<StatusCode>,
) {
    assert_eq!(send().await.unwrap(), StatusCode::OK);
    deployment.api.hold();
    let calls: Vec<_> = (0..CROWD).map(|_| send()).collect();
    soon(deployment.api.until_requests(1 + CROWD)).await;
    deployment.authorization.revoke_all();
    deployment.api.release();
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(deployment.api.request_count(), 1 + 2 * CROWD);
    assert_eq!(authorizer.tokens().unwrap().status().replays, CROWD as u64);
}

#[tokio::test]
async fn gravitino_12531_a_thousand_refusals_of_one_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_h2c_client());
    let send = || {
        let call = client.clone().oneshot(get(deployment.api.url()));
        tokio::spawn(async move { call.await.unwrap().status() })
    };
    one_token_request(&deployment, &authorizer, send).await;
}

#[tokio::test]
async fn on_reqwest_a_thousand_refusals_of_one_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    let client = reqwest_builder().http2_prior_knowledge().build().unwrap();
    let middleware = AuthMiddleware::new(authorizer.clone());
    let client = ClientBuilder::new(client).with(middleware).build();
    let send = || {
        let call = client.get(deployment.api.url()).send();
        tokio::spawn(async move { call.await.unwrap().status() })
    };
    one_token_request(&deployment, &authorizer, send).await;
}

/// `azure_core` made 7 token requests of 8 late refusals, huskarl 9.
#[tokio::test]
async fn azure_core_huskarl_late_refusals_take_the_token_that_has_come_since() {
    let source = Scripted::lives(600);
    let world = World::new(source.clone(), ManualClock::new());
    world.tokens().token().await.unwrap();
    let late = || task::spawn(world.fetch("/slow"));
    let mut late: Vec<_> = (0..8).map(|_| late()).collect();
    for call in &mut late {
        assert_pending!(call.poll());
    }
    world.api.revoke("t1");
    assert_eq!(world.get("/").await, StatusCode::OK);
    assert_eq!(source.requests(), 2);
    world.api.release();
    for call in late {
        assert_eq!(call.await.0, StatusCode::OK);
    }
    assert_eq!(source.requests(), 2);
    assert_eq!(
        world.api.shown()[8..],
        [["t1"].as_slice(), &["t2"; 9]].concat()
    );
}

/// A refusal of a token before the last, whose replacement has been replaced as well.
#[tokio::test]
async fn a_very_late_refusal_takes_the_current_token_too() {
    let source = Scripted::lives(600);
    let world = World::new(source.clone(), ManualClock::new());
    world.tokens().token().await.unwrap();
    let mut late = task::spawn(world.fetch("/slow"));
    assert_pending!(late.poll());
    for token in ["t1", "t2"] {
        world.api.revoke(token);
        assert_eq!(world.get("/").await, StatusCode::OK);
    }
    world.api.release();
    assert_eq!(late.await.0, StatusCode::OK);
    assert_eq!(source.requests(), 3);
    assert_eq!(world.api.shown().last().unwrap(), "t3");
}
