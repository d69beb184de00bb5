//! The expiry of tokens: the cache hands out no expired token.

use std::time::Duration;

use auth_core::ErrorKind;
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::{ManualClock, TokioClock};

use super::{cache, read};

/// Reported elsewhere: aliri, envoy#44674.
#[tokio::test(start_paused = true)]
async fn an_expired_token_is_never_handed_out_even_when_the_refresh_fails() {
    let source =
        Scripted::always(Answer::fails(ErrorKind::Connection)).then(Answer::ExpiresIn(secs(600)));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(Duration::from_millis(569_999)).await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(read(&tokens), None);
    let error = with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test(start_paused = true)]
async fn the_future_of_a_read_reads_the_token_when_it_is_polled() {
    let source = Scripted::expires_in(600);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    let (early, late) = (tokens.token(), tokens.token());
    assert_eq!(early.await.unwrap().secret(), "t1");
    tokio::time::advance(secs(570)).await;
    assert_eq!(late.await.unwrap().secret(), "t2", "t1 has expired");
}

/// Reported elsewhere: zerobus#701.
#[tokio::test(start_paused = true)]
async fn a_lifetime_is_counted_from_before_the_request() {
    let source = Scripted::expires_in(60).latency(secs(5));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(51)).await;
    assert!(read(&tokens).is_some(), "56 of 57 s");
    tokio::time::advance(secs(1)).await;
    assert_eq!(read(&tokens), None);
}

/// Reported elsewhere: `object_store#41`.
#[tokio::test(start_paused = true)]
async fn a_token_that_arrives_expired_is_used_for_a_second() {
    let source = Scripted::expires_in(0);
    let tokens = cache(&source, TokioClock::new());
    for _ in 0..10 {
        let first = tokens.token().await.unwrap();
        for _ in 0..100 {
            assert_eq!(tokens.token().await.unwrap().secret(), first.secret());
        }
        tokio::time::advance(secs(1)).await;
    }
    assert_eq!(source.requests(), 10, "one request a second");
}

/// Reported elsewhere: Duende, Spring.
#[tokio::test(start_paused = true)]
async fn a_missing_lifetime_is_five_minutes() {
    let source = Scripted::always(Answer::NoExpiresIn);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(175)).await;
    assert!(read(&tokens).is_some());
    settle().await;
    assert_eq!(source.requests(), 1);
    tokio::time::advance(secs(110)).await;
    assert_eq!(read(&tokens), None);
}

/// Reported elsewhere: librespot#1617, pizauth#47.
#[tokio::test]
async fn a_token_expires_while_the_machine_is_suspended() {
    let source = Scripted::expires_in(600);
    let clock = ManualClock::new();
    let tokens = cache(&source, clock.clone());
    tokens.token().await.unwrap();
    clock.suspend(secs(569));
    assert!(read(&tokens).is_some());
    clock.suspend(secs(1));
    assert_eq!(read(&tokens), None);
    assert_eq!(tokens.token().await.unwrap().secret(), "t2");
}

#[tokio::test]
async fn a_wall_clock_set_back_does_not_prolong_a_token() {
    let source = Scripted::expires_in(600);
    let clock = ManualClock::new();
    let tokens = cache(&source, clock.clone());
    tokens.token().await.unwrap();
    clock.set_wall(secs(0));
    clock.advance(secs(569));
    assert!(read(&tokens).is_some());
    clock.advance(secs(1));
    assert_eq!(read(&tokens), None);
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_of_less_than_a_second_causes_no_burst_of_requests() {
    let source = Scripted::always(Answer::ExpiresIn(Duration::from_micros(100)));
    let tokens = cache(&source, TokioClock::new());
    for _ in 0..1000 {
        tokens.token().await.unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert_eq!(source.requests(), 10, "one request a second");
}

#[tokio::test(start_paused = true)]
async fn a_refreshed_token_that_arrives_expired_does_not_replace_a_usable_one() {
    let source = Scripted::expires_in(0).then(Answer::ExpiresIn(secs(600)));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(490)).await;
    for _ in 0..79 {
        assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
        settle().await;
        tokio::time::advance(secs(1)).await;
    }
    let refreshes = source.requests() - 1;
    assert!(
        (4..=14).contains(&refreshes),
        "{refreshes} refreshes, with backoff"
    );
}

#[tokio::test]
async fn a_token_that_expired_while_the_machine_was_suspended_is_fetched_again() {
    let source = Scripted::expires_in(600).hold();
    let clock = ManualClock::new();
    let tokens = cache(&source, clock.clone());
    let waiting = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    settle().await;
    clock.suspend(secs(8 * 3600));
    source.release();
    assert_eq!(waiting.await.unwrap().unwrap().secret(), "t2");
}
