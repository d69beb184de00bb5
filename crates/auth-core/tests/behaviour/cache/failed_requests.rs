//! Failed token requests, with and without a usable token: errors, backoff and the next attempt.

use std::time::Duration;

use auth_core::{Error, ErrorKind};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::TokioClock;

use super::{cache, read};

/// Reported elsewhere: google-cloud-rust#5809, azure#2611.
#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_invisible_while_the_token_is_usable() {
    let source =
        Scripted::always(Answer::fails(ErrorKind::Unavailable)).then(Answer::ExpiresIn(secs(600)));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(485)).await;
    for _ in 0..80 {
        assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
        assert_eq!(tokens.token().await.unwrap().secret(), "t1");
        settle().await;
        tokio::time::advance(secs(1)).await;
    }
    // 1, 2, 4, 8, … s apart, ±20 %
    let refreshes = source.requests() - 1;
    assert!((6..=9).contains(&refreshes), "{refreshes}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_while_a_token_is_stale_costs_nothing_afterwards() {
    let mut source = Scripted::expires_in(60).then(Answer::ExpiresIn(secs(60)));
    for _ in 0..3 {
        source = source.then(Answer::fails(ErrorKind::Connection));
    }
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    for _ in 0..590 {
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(read(&tokens).is_some());
        settle().await;
    }
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t2"));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_callers_fail_at_once_until_the_next_attempt_is_due() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Unavailable));
    let tokens = cache(&source, TokioClock::new());
    let first = with_timeout(tokens.token()).await.unwrap_err();
    let wait = first.retry_after().unwrap();
    assert!(wait >= Duration::from_millis(800) && wait <= Duration::from_millis(1200));
    let again = with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Unavailable);
    assert_eq!(again.to_string(), first.to_string());
    assert_eq!(again.retry_after(), Some(wait));
    assert_eq!(source.requests(), 1);
    tokio::time::advance(wait).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

/// Reported elsewhere: google-cloud-rust#4541, rusoto#1765.
#[tokio::test(start_paused = true)]
async fn after_a_denial_the_backoff_ends() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Denied));
    let tokens = cache(&source, TokioClock::new());
    assert_eq!(
        with_timeout(tokens.token()).await.unwrap_err().kind(),
        ErrorKind::Denied
    );
    tokio::time::advance(secs(37)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

/// Reported elsewhere: camunda-8-js-sdk#615.
#[tokio::test(start_paused = true)]
async fn a_denied_client_backs_off() {
    let source = Scripted::always(Answer::fails(ErrorKind::Denied));
    let tokens = cache(&source, TokioClock::new());
    for _ in 0..3600 {
        with_timeout(tokens.token()).await.unwrap_err();
        tokio::time::advance(secs(1)).await;
    }
    // 30, 60, 120, 240, 300, 300, … s apart, ±20 %
    let requests = source.requests();
    assert!((13..=20).contains(&requests), "{requests} in an hour");
}

#[tokio::test(start_paused = true)]
async fn retry_after_sets_the_next_attempt() {
    let busy = Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(secs(7));
    let source = Scripted::expires_in(600).then(Answer::Fails(busy));
    let tokens = cache(&source, TokioClock::new());
    assert_eq!(
        with_timeout(tokens.token())
            .await
            .unwrap_err()
            .retry_after(),
        Some(secs(7))
    );
    tokio::time::advance(Duration::from_millis(6999)).await;
    with_timeout(tokens.token()).await.unwrap_err();
    tokio::time::advance(Duration::from_millis(1)).await;
    tokens.token().await.unwrap();
    assert_eq!(source.requests(), 2);
}

/// Reported elsewhere: envoy#42009.
#[tokio::test(start_paused = true)]
async fn an_unreadable_200_is_retried_like_a_denial() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::InvalidResponse));
    let tokens = cache(&source, TokioClock::new());
    with_timeout(tokens.token()).await.unwrap_err();
    tokio::time::advance(secs(23)).await;
    with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(source.requests(), 1);
    tokio::time::advance(secs(14)).await;
    tokens.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_gets_one_more_attempt_at_once() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Connection));
    let tokens = cache(&source, TokioClock::new());
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
    assert_eq!(source.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_connections_that_fail_are_a_failure() {
    let source = Scripted::always(Answer::fails(ErrorKind::Connection));
    let tokens = cache(&source, TokioClock::new());
    for _ in 0..10 {
        with_timeout(tokens.token()).await.unwrap_err();
    }
    assert_eq!(source.requests(), 2);
}

/// Reported elsewhere: smithy-rs#4740.
#[tokio::test(start_paused = true)]
async fn both_attempts_share_one_deadline() {
    let source = Scripted::always(Answer::Hangs).then(Answer::fails(ErrorKind::Connection));
    let tokens = cache(&source.latency(secs(6)), TokioClock::new());
    let start = tokio::time::Instant::now();
    assert_eq!(
        with_timeout(tokens.token()).await.unwrap_err().kind(),
        ErrorKind::Timeout
    );
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn after_clear_backoff_the_next_request_is_sent_at_once() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Denied));
    let tokens = cache(&source, TokioClock::new());
    with_timeout(tokens.token()).await.unwrap_err();
    with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(source.requests(), 1);
    tokens.clear_backoff();
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

#[tokio::test(start_paused = true)]
async fn after_clear_backoff_a_stale_token_stays_in_use_and_is_refreshed_at_once() {
    let rejected = Answer::fails(ErrorKind::Denied);
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(rejected);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(490)).await;
    for expected in ["Bearer t1", "Bearer t1"] {
        assert_eq!(read(&tokens).as_deref(), Some(expected));
        settle().await;
    }
    assert_eq!(source.requests(), 2);
    tokens.clear_backoff();
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
    settle().await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t2"));
}
