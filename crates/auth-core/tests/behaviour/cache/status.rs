//! `TokenCache::status`.

use auth_core::ErrorKind;
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::TokioClock;
use tokio_test::{assert_pending, task};

use super::{cache, read};

#[tokio::test(start_paused = true)]
async fn status_from_the_first_request_to_the_expiry() {
    let source = Scripted::always(Answer::fails(ErrorKind::Unavailable))
        .then(Answer::ExpiresIn(secs(600)))
        .hold();
    let tokens = cache(&source, TokioClock::new());
    let status = tokens.status();
    assert!(!status.has_usable_token() && !status.in_flight && !status.stale);
    assert_eq!((status.token_requests, status.tokens_received), (0, 0));
    assert!(status.last_error.is_none());

    let mut first = task::spawn(tokens.token());
    assert_pending!(first.poll());
    settle().await;
    let status = tokens.status();
    assert!(status.in_flight && !status.has_usable_token());
    assert_eq!((status.token_requests, status.tokens_received), (1, 0));

    source.release();
    first.await.unwrap();
    let status = tokens.status();
    assert_eq!(status.usable_for, Some(secs(570)));
    assert!(!status.in_flight && !status.stale);
    assert_eq!((status.token_requests, status.tokens_received), (1, 1));

    tokio::time::advance(secs(490)).await;
    assert!(tokens.status().stale);
    assert!(read(&tokens).is_some());
    settle().await;
    let status = tokens.status();
    assert_eq!(status.usable_for, Some(secs(80)));
    assert_eq!((status.token_requests, status.consecutive_failures), (2, 1));
    let error = status.last_error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.retry_after().unwrap() <= secs(2));

    tokio::time::advance(secs(80)).await;
    let status = tokens.status();
    assert!(!status.has_usable_token() && !status.stale);
}
