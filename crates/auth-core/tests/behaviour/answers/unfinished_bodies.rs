//! The status counts once it is known: the body of a failure gets a second of patience.

use std::time::Duration;

use auth_core::{ErrorKind, RefreshPolicy, TokenCache};
use auth_test_support::{secs, with_timeout};
use auth_testing::{ManualClock, TokioClock};
use tokio::time::Instant;

use super::{Answer, End, token_with};

const TRICKLE: End = End::Spaces(Duration::from_millis(300));

#[tokio::test(start_paused = true)]
async fn a_failure_whose_body_never_ends_keeps_its_status_after_a_second() {
    for end in [End::Never, TRICKLE] {
        for (status, kind) in [
            (400, ErrorKind::Denied),
            (401, ErrorKind::Denied),
            (403, ErrorKind::Denied),
            (404, ErrorKind::Unavailable),
            (429, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
            (307, ErrorKind::Redirected),
        ] {
            let start = Instant::now();
            let answer = Answer::new(status, "").header("retry-after", "40").end(end);
            let error = with_timeout(answer.cache().token()).await.unwrap_err();
            let took = start.elapsed();
            assert_eq!(error.kind(), kind, "{status}: {error}");
            assert_eq!(error.status().unwrap(), status);
            assert_eq!(error.server_retry_after(), Some(secs(40)));
            assert!(took >= Duration::from_millis(990), "{took:?}");
            assert!(took <= Duration::from_millis(1010), "{took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_received_part_of_an_unfinished_failure_counts() {
    for end in [End::Never, End::Broken, TRICKLE] {
        for body in [
            r#"{"error":"invalid_client","error_description":"no"}"#,
            r#"{"error":"invalid_client","error_descr"#,
        ] {
            let error = Answer::new(400, body).end(end).error().await;
            assert_eq!(error.error_code(), Some("invalid_client"), "{end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_whose_body_never_ends_is_a_timeout() {
    for end in [End::Never, End::Spaces(secs(1))] {
        let start = Instant::now();
        let error = with_timeout(token_with("").end(end).cache().token()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_whose_body_is_slow_is_read() {
    let answer = Answer::new(200, "").end(End::Complete);
    let slow = Answer {
        latency: secs(8),
        ..answer
    };
    let error = with_timeout(slow.cache().token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}

#[tokio::test(start_paused = true)]
async fn the_patience_ends_before_the_attempt_does() {
    for (timeout, latency) in [
        (Duration::from_millis(400), Duration::ZERO),
        (Duration::from_millis(900), Duration::ZERO),
        (secs(1), Duration::from_millis(10)),
        (secs(10), Duration::from_millis(9700)),
    ] {
        let answer = Answer::new(401, "").end(End::Never).after(latency);
        let policy = RefreshPolicy::builder().attempt_timeout(timeout);
        let tokens = TokenCache::builder(answer.grant())
            .refresh_policy(policy.build().unwrap())
            .clock(TokioClock::new())
            .build();
        let start = Instant::now();
        let error = with_timeout(tokens.token()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{timeout:?}: {error}");
        assert!(start.elapsed() < timeout);
    }
}

#[tokio::test]
async fn the_patience_is_measured_by_the_clock_of_the_cache() {
    let clock = ManualClock::new();
    let answer = Answer::new(503, "").end(End::Never);
    let tokens = TokenCache::builder(answer.grant())
        .clock(clock.clone())
        .build();
    let waiting = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    auth_test_support::settle().await;
    clock.advance(Duration::from_millis(999));
    auth_test_support::settle().await;
    assert!(!waiting.is_finished());
    clock.advance(Duration::from_millis(2));
    let error = with_timeout(waiting).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
