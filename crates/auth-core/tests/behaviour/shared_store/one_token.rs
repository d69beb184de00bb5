use std::time::Duration;

use auth_core::{TokenCaches, TokenRequest};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::{MemoryStore, TokioClock};

use super::{fleet, process, secret};

#[tokio::test(start_paused = true)]
async fn a_fleet_that_starts_together_makes_one_token_request() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::expires_in(600).latency(Duration::from_millis(50));
    let fleet = fleet(50, &source, &store, clock);
    let tasks: Vec<_> = fleet
        .iter()
        .cloned()
        .map(|tokens| tokio::spawn(async move { secret(&tokens).await }))
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "t1");
    }
    assert_eq!(source.requests(), 1);
    let of_others = fleet
        .iter()
        .filter(|tokens| tokens.status().tokens_from_shared_store == 1);
    assert_eq!(of_others.count(), 49);
    let requests: u64 = fleet
        .iter()
        .map(|tokens| tokens.status().token_requests)
        .sum();
    assert_eq!(requests, 1, "the status of all processes together");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_refreshes_once_in_a_lifetime() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::expires_in(600).latency(Duration::from_millis(50));
    let fleet = fleet(20, &source, &store, clock);
    for tokens in &fleet {
        tokens.token().await.unwrap();
    }
    for _ in 0..6000 {
        tokio::time::advance(secs(1)).await;
        for tokens in &fleet {
            assert!(tokens.cached().is_some(), "a usable token is cached");
        }
        settle().await;
    }
    // the first of twenty processes refreshes 372 to 480 s after the token was issued
    let requests = source.requests();
    assert!((13..=17).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_token_from_the_store_keeps_its_age() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let first = process(&source, &store, clock);
    first.token().await.unwrap();
    tokio::time::advance(secs(300)).await;
    let late = process(&source, &store, clock);
    assert_eq!(secret(&late).await, "t1");
    assert_eq!(late.status().usable_for, Some(secs(270)));
    let end = first.token().await.unwrap().expires_at();
    assert_eq!(late.token().await.unwrap().expires_at(), end);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_token_request_took_is_part_of_its_age() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let slow = Scripted::expires_in(600).latency(secs(9));
    let first = process(&slow, &store, clock);
    let end = first.token().await.unwrap().expires_at();
    let late = process(&Scripted::expires_in(600), &store, clock);
    assert_eq!(late.token().await.unwrap().expires_at(), end);
}

#[tokio::test(start_paused = true)]
async fn different_requests_share_nothing() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let audience = |name: &str| TokenRequest::builder().audience(name).build().unwrap();
    let (a, b) = (audience("a"), audience("b"));
    let caches = || TokenCaches::from(process(&source, &store, clock));
    let (one, other) = (caches(), caches());
    assert_eq!(secret(&one.cache(&a)).await, "t1");
    assert_eq!(secret(&one.cache(&b)).await, "t2");
    assert_eq!(secret(one.default_cache()).await, "t3");
    assert_eq!(secret(&other.cache(&b)).await, "t2");
    assert_eq!(secret(&other.cache(&a)).await, "t1");
    assert_eq!(secret(other.default_cache()).await, "t3");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_arrives_expired_is_not_shared() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(0),
    );
    let first = process(&source, &store, clock);
    assert_eq!(secret(&first).await, "t1");
    settle().await;
    assert_eq!(store.saves(), 0);
    let other = process(&source, &store, clock);
    assert_eq!(secret(&other).await, "t2", "the lease has been released");
}
