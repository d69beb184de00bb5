//! `keep_warm`: a token is refreshed on time without reads.

use auth_core::{ErrorKind, TokenCache};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::TokioClock;

use super::read;

fn warm(source: &Scripted) -> TokenCache {
    TokenCache::builder(source.clone())
        .clock(TokioClock::new())
        .keep_warm()
        .build()
}

/// Advances the time without reads.
async fn quiet(seconds: u64) {
    for _ in 0..seconds {
        tokio::time::advance(secs(1)).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_quiet_day_no_caller_waits() {
    let source = Scripted::expires_in(600);
    let tokens = warm(&source);
    tokens.token().await.unwrap();
    quiet(86_400).await;
    assert!(read(&tokens).is_some());
    // one refresh every 372 to 480 s
    let requests = source.requests();
    assert!((180..=234).contains(&requests), "{requests}");
    assert_eq!(source.max_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn by_default_a_token_without_readers_is_not_refreshed() {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::builder(source.clone())
        .clock(TokioClock::new())
        .build();
    tokens.token().await.unwrap();
    quiet(3600).await;
    assert_eq!(source.requests(), 1);
    assert!(read(&tokens).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_kept_warm_token_outlasts_an_outage_without_a_reader() {
    let mut source = Scripted::expires_in(60).then(Answer::ExpiresIn(secs(60)));
    for _ in 0..30 {
        source = source.then(Answer::fails(ErrorKind::Unavailable));
    }
    let tokens = warm(&source);
    tokens.token().await.unwrap();
    quiet(900).await;
    assert!(read(&tokens).is_some());
}

/// Reported elsewhere: google-cloud-rust#4541, google-cloud-rust#5864.
#[tokio::test(start_paused = true)]
async fn a_denial_or_a_panic_does_not_end_the_task() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::fails(ErrorKind::Denied))
        .then(Answer::Panics)
        .then(Answer::fails(ErrorKind::Denied));
    let tokens = warm(&source);
    tokens.token().await.unwrap();
    // stale after 480 s, and then backoffs of at most 36 s, 2 s and 288 s
    quiet(480 + 36 + 2 + 288 + 5).await;
    assert!(read(&tokens).is_some());
    assert_eq!(source.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn reads_and_the_task_do_not_refresh_twice() {
    let source = Scripted::expires_in(60);
    let tokens = warm(&source);
    tokens.token().await.unwrap();
    for _ in 0..6000 {
        tokio::time::advance(secs(1) / 10).await;
        assert!(read(&tokens).is_some());
        settle().await;
    }
    // one refresh every 37 to 48 s
    let requests = source.requests();
    assert!((13..=17).contains(&requests), "{requests}");
}

/// Reported elsewhere: restate#5154.
#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_task() {
    let source = Scripted::expires_in(60);
    let tokens = warm(&source);
    tokens.token().await.unwrap();
    drop(tokens);
    quiet(600).await;
    assert_eq!(source.requests(), 1);
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(tasks, 0);
}
