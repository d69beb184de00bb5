//! A cache with a custom refresh policy.

use auth_core::{ErrorKind, RefreshPolicy, TokenCache};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::TokioClock;

use super::read;

#[tokio::test(start_paused = true)]
async fn a_custom_policy_is_followed() {
    let policy = RefreshPolicy::builder()
        .margin(0.1, secs(60))
        .window(0.5, secs(300))
        .jitter(0.0)
        .attempt_timeout(secs(2))
        .build()
        .unwrap();
    let source = Scripted::always(Answer::Hangs).then(Answer::ExpiresIn(secs(600)));
    let tokens = TokenCache::builder(source.clone())
        .refresh_policy(policy)
        .clock(TokioClock::new())
        .build();
    tokens.token().await.unwrap();
    tokio::time::advance(secs(239)).await;
    assert!(!tokens.status().stale);
    tokio::time::advance(secs(1)).await;
    assert!(tokens.status().stale);
    assert!(read(&tokens).is_some());
    settle().await;
    tokio::time::advance(secs(2)).await;
    settle().await;
    let error = tokens.status().last_error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("within 2.0 s"), "{error}");
    tokio::time::advance(secs(297)).await;
    assert!(read(&tokens).is_some());
    tokio::time::advance(secs(1)).await;
    assert!(read(&tokens).is_none());
}
