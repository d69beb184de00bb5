//! An API that refuses whatever it is given is not a reason to hammer the authorization server.

use async_trait::async_trait;
use auth_core::{Error, TokenRequest, TokenResponse, TokenSource};
use auth_testing::ManualClock;
use http::StatusCode;
use tokio_test::{assert_pending, task};

use super::{reqwest_with, world::World};
use crate::{
    cache::{secs, source::Scripted},
    support::{Deployment, Mint},
};

const DAY: u64 = 86_400;

#[tokio::test]
async fn gravitino_12531_a_refusal_of_everything_costs_one_token_request_and_then_one_in_30_s() {
    let (source, clock) = (Scripted::lives(DAY), ManualClock::new());
    let world = World::new(source.clone(), clock.clone());
    let refused = async |times| {
        for _ in 0..times {
            assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
        }
    };
    refused(50).await;
    assert_eq!(source.requests(), 2);
    for round in 1..=20 {
        clock.advance(secs(29));
        refused(10).await;
        assert_eq!(source.requests(), 1 + round, "29 s after the last");
        clock.advance(secs(1));
        refused(10).await;
        assert_eq!(source.requests(), 2 + round);
    }
}

/// The new token is accepted by the others each time, so that it is not on trial.
#[tokio::test]
async fn one_bad_endpoint_beside_good_ones_costs_a_few_token_requests_a_minute() {
    let (source, clock) = (Scripted::lives(DAY), ManualClock::new());
    let world = World::new(source.clone(), clock.clone());
    world.tokens().token().await.unwrap();
    let mut each_minute = Vec::new();
    for _ in 0..5 {
        let before = source.requests();
        for _ in 0..60 {
            assert_eq!(world.get("/good").await, StatusCode::OK);
            assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
            clock.advance(secs(1));
        }
        each_minute.push(source.requests() - before);
    }
    assert_eq!(each_minute, [5, 2, 2, 2, 2]);
}

/// cf-gears renewed once in 15 minutes, whatever happened in between.
#[tokio::test]
async fn cf_gears_three_revocations_in_a_row_are_each_healed_at_once() {
    let source = Scripted::lives(DAY);
    let world = World::new(source.clone(), ManualClock::new());
    assert_eq!(world.get("/").await, StatusCode::OK);
    for token in ["t1", "t2", "t3"] {
        world.api.revoke(token);
        assert_eq!(world.get("/").await, StatusCode::OK);
    }
    assert_eq!(source.requests(), 4);
    assert_eq!(
        world.api.shown(),
        ["t1", "t1", "t2", "t2", "t3", "t3", "t4"]
    );
}

#[tokio::test]
async fn a_token_that_was_accepted_is_on_trial_no_more_and_one_that_was_not_is_for_30_s() {
    let (source, clock) = (Scripted::lives(DAY), ManualClock::new());
    let world = World::new(source.clone(), clock.clone());
    world.api.revoke("t1");
    world.api.revoke("t2");
    assert_eq!(world.get("/").await, StatusCode::UNAUTHORIZED);
    clock.advance(secs(29));
    assert_eq!(world.get("/").await, StatusCode::UNAUTHORIZED);
    assert_eq!(source.requests(), 2, "t2 is on trial");
    clock.advance(secs(1));
    assert_eq!(world.get("/").await, StatusCode::OK);
    world.api.revoke("t3");
    assert_eq!(world.get("/").await, StatusCode::OK);
    assert_eq!(source.requests(), 4, "t3 was accepted");
}

/// The allowance is for tokens that are good by what the cache knows.
#[tokio::test]
async fn a_refused_token_that_ended_meanwhile_is_replaced_although_too_many_were_refused() {
    let (source, clock) = (Scripted::lives(20), ManualClock::new());
    let world = World::new(source.clone(), clock.clone());
    for _ in 0..6 {
        assert_eq!(world.get("/good").await, StatusCode::OK);
        assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(source.requests(), 5, "four were permitted");
    let mut slow = task::spawn(world.fetch("/slow"));
    assert_pending!(slow.poll());
    world.api.revoke("t5");
    clock.advance(secs(20));
    world.api.release();
    assert_eq!(slow.await.0, StatusCode::OK);
    assert_eq!(world.api.shown().last().unwrap(), "t6");
}

/// A token that a refusal brought is refused again, after another answer to it: whether that asks
/// for one more.
async fn ends_the_trial(path: &str) -> bool {
    let source = Scripted::lives(DAY);
    let world = World::new(source.clone(), ManualClock::new());
    assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
    assert_eq!(source.requests(), 2);
    world.get(path).await;
    assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
    source.requests() == 3
}

#[tokio::test]
async fn a_403_accepts_a_token_and_a_503_says_nothing_of_it() {
    assert!(ends_the_trial("/").await);
    assert!(ends_the_trial("/forbidden").await);
    assert!(!ends_the_trial("/busy").await);
    assert!(!ends_the_trial("/bad").await);
}

#[tokio::test]
async fn ktor_2864_a_request_is_sent_twice_at_most() {
    let world = World::new(Mint::open(), ManualClock::new());
    let (status, body) = world.fetch("/bad").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, "not token-2", "what the second sending came to");
    assert_eq!(world.api.shown(), ["token-1", "token-2"]);
    assert_eq!(world.tokens().status().replays, 1);
}

#[tokio::test]
async fn ktor_2864_on_reqwest_a_request_is_sent_twice_at_most() {
    let deployment = Deployment::start().await;
    deployment.api.reject_all();
    let authorizer = deployment.authorizer();
    let request = reqwest_with(authorizer.clone()).get(deployment.api.url());
    let status = request.send().await.unwrap().status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.api.request_count(), 2);
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}

#[tokio::test]
async fn cf_gears_on_reqwest_three_revocations_in_a_row_are_each_healed_at_once() {
    let deployment = Deployment::start().await;
    let client = reqwest_with(deployment.authorizer());
    for _ in 0..4 {
        let response = client.get(deployment.api.url()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        deployment.authorization.revoke_all();
    }
    assert_eq!(deployment.authorization.token_requests(), 4);
    assert_eq!(deployment.api.request_count(), 7);
}

/// Hands out one token for as long as it lives.
#[derive(Debug)]
struct Reissuing;

#[async_trait]
impl TokenSource for Reissuing {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        TokenResponse::bearer("the-same")
    }
}

#[tokio::test]
async fn tower_mcp_1374_a_token_that_was_refused_is_not_sent_again_with_the_same_request() {
    let world = World::new(Reissuing, ManualClock::new());
    for sent in [&["the-same"; 1][..], &["the-same"; 2]] {
        assert_eq!(world.get("/bad").await, StatusCode::UNAUTHORIZED);
        assert_eq!(world.api.shown(), sent);
    }
    let status = world.tokens().status();
    assert_eq!((status.replays, status.tokens), (0, 2), "received twice");
    assert_eq!(
        status.token_requests, 2,
        "the second refusal found it on trial"
    );
}
