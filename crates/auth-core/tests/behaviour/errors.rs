//! The text of an error, `retry_after` and `server_retry_after`.

use std::time::Duration;

use auth_core::{Error, ErrorKind, TokenCache, TokenRequest, TokenSource};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs,
};
use auth_testing::ManualClock;

fn failing(error: Error, clock: &ManualClock) -> TokenCache {
    let builder = TokenCache::builder(Scripted::always(Answer::Fails(error)));
    builder.clock(clock.clone()).build()
}

async fn failure(tokens: &TokenCache) -> Error {
    tokens.token().await.unwrap_err()
}

#[tokio::test]
async fn the_text_of_an_error_does_not_contain_the_time_until_the_next_attempt() {
    let clock = ManualClock::new();
    let error = Error::new(ErrorKind::Unavailable, "the server is busy");
    let tokens = failing(error.clone(), &clock);
    assert_eq!(failure(&tokens).await.to_string(), error.to_string());
    assert_eq!(error.to_string(), "the server is busy");
}

#[tokio::test]
async fn equal_failures_have_equal_texts_at_all_times() {
    let clock = ManualClock::new();
    let tokens = failing(Error::new(ErrorKind::Unavailable, "busy"), &clock);
    let first = failure(&tokens).await;
    clock.advance(Duration::from_millis(300));
    let backing_off = failure(&tokens).await;
    assert_ne!(backing_off.retry_after(), first.retry_after());
    clock.advance(backing_off.retry_after().unwrap());
    let second = failure(&tokens).await;
    assert_eq!(tokens.status().token_requests, 2);
    for error in [backing_off, second, tokens.status().last_error.unwrap()] {
        assert_eq!(error.to_string(), first.to_string());
    }
}

#[tokio::test]
async fn retry_after_counts_down_to_the_next_attempt_of_the_cache() {
    let clock = ManualClock::new();
    let tokens = failing(Error::new(ErrorKind::Unavailable, "busy"), &clock);
    let wait = failure(&tokens).await.retry_after().unwrap();
    let passed = Duration::from_millis(300);
    clock.advance(passed);
    let error = failure(&tokens).await;
    assert_eq!(error.retry_after(), Some(wait.checked_sub(passed).unwrap()));
    assert_eq!(error.server_retry_after(), None);
    assert_eq!(tokens.status().token_requests, 1);
}

#[tokio::test]
async fn server_retry_after_is_the_wait_that_the_server_asked_for() {
    let clock = ManualClock::new();
    let error = Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(secs(7));
    let tokens = failing(error, &clock);
    failure(&tokens).await;
    clock.advance(secs(3));
    let error = failure(&tokens).await;
    assert_eq!(error.retry_after(), Some(secs(4)));
    assert_eq!(error.server_retry_after(), Some(secs(7)));
}

/// The default policy caps a `Retry-After` at 60 s. The error keeps the server's value.
#[tokio::test]
async fn retry_after_is_capped_by_the_policy_and_server_retry_after_is_not() {
    let error = Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(secs(7000));
    let error = failure(&failing(error, &ManualClock::new())).await;
    assert_eq!(error.retry_after(), Some(secs(60)));
    assert_eq!(error.server_retry_after(), Some(secs(7000)));
}

#[tokio::test]
async fn an_error_that_comes_from_no_cache_has_no_retry_after() {
    let error = Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(secs(7));
    let source = Scripted::always(Answer::Fails(error));
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.retry_after(), None);
    assert_eq!(error.server_retry_after(), Some(secs(7)));
}
