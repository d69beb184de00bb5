//! `TokenCache::reject`, for connections that no adapter sees.

use async_trait::async_trait;
use auth_core::{
    AccessToken, Error, ErrorKind, PendingToken, Replacement, TokenCache, TokenRequest,
    TokenResponse, TokenSource, time::SystemClock,
};
use auth_test_support::{
    GatedSource,
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::ManualClock;
use futures_util::future::join_all;
use http::StatusCode;

use super::test_client::TestClient;

fn cache(source: &Scripted, clock: &ManualClock) -> TokenCache {
    let builder = TokenCache::builder(source.clone());
    builder.clock(clock.clone()).build()
}

#[track_caller]
fn pending(replacement: Replacement) -> PendingToken {
    match replacement {
        Replacement::Pending(token) => token,
        other => panic!("expected a pending token, got {other:?}"),
    }
}

#[track_caller]
fn ready(replacement: Replacement) -> AccessToken {
    match replacement {
        Replacement::Ready(token) => token,
        other => panic!("expected a token that is there, got {other:?}"),
    }
}

#[track_caller]
fn assert_unavailable(replacement: &Replacement) {
    assert!(
        matches!(replacement, Replacement::Unavailable),
        "{replacement:?}"
    );
}

#[tokio::test]
async fn a_rejected_token_is_replaced_by_a_pending_one() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let rejected = tokens.token().await.unwrap();
    let replacement = pending(tokens.reject(&rejected)).token().await.unwrap();
    assert_eq!(replacement.secret(), "t2");
    assert_eq!(tokens.token().await.unwrap().secret(), "t2");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn a_rejected_token_that_has_been_replaced_gets_the_current_one_at_once() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let first = tokens.token().await.unwrap();
    let second = pending(tokens.reject(&first)).token().await.unwrap();
    assert_eq!(ready(tokens.reject(&first)).secret(), "t2");
    clock.advance(secs(600));
    assert_eq!(tokens.token().await.unwrap().secret(), "t3");
    for late in [&first, &second] {
        assert_eq!(ready(tokens.reject(late)).secret(), "t3");
    }
    assert_eq!(source.requests(), 3);
}

#[tokio::test]
async fn a_thousand_rejections_of_one_token_cause_one_token_request() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let rejected = tokens.token().await.unwrap();
    let _held = source.clone().hold();
    let replacements: Vec<_> = (0..1000)
        .map(|_| pending(tokens.reject(&rejected)).token())
        .collect();
    source.release();
    for replacement in join_all(replacements).await {
        assert_eq!(replacement.unwrap().secret(), "t2");
    }
    assert_eq!(source.requests(), 2);
}

/// The fetch is that of the cache, and later callers use its token.
#[tokio::test]
async fn dropping_the_pending_token_does_not_stop_the_token_request() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let rejected = tokens.token().await.unwrap();
    drop(pending(tokens.reject(&rejected)));
    settle().await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t2");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn a_replacement_on_probation_is_not_replaced_for_30_s() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let first = tokens.token().await.unwrap();
    let second = pending(tokens.reject(&first)).token().await.unwrap();
    assert_unavailable(&tokens.reject(&second));
    clock.advance(secs(29));
    assert_unavailable(&tokens.reject(&second));
    assert_eq!(source.requests(), 2);
    clock.advance(secs(1));
    let third = pending(tokens.reject(&second)).token().await.unwrap();
    assert_eq!(third.secret(), "t3");
}

/// The API accepts each replacement elsewhere, which ends its probation.
#[tokio::test]
async fn nothing_replaces_a_rejected_token_once_the_rejection_budget_is_used_up() {
    let (source, clock) = (Scripted::expires_in(86_400), ManualClock::new());
    let client = TestClient::new(source.clone(), clock.clone());
    let tokens = client.tokens();
    let mut token = tokens.token().await.unwrap();
    for requests in 2..=4 {
        assert_eq!(client.get("/good").await, StatusCode::OK);
        token = pending(tokens.reject(&token)).token().await.unwrap();
        assert_eq!(source.requests(), requests);
    }
    assert_eq!(client.get("/good").await, StatusCode::OK);
    assert_unavailable(&tokens.reject(&token));
    clock.advance(secs(1));
    // no API has accepted the token since
    token = pending(tokens.reject(&token)).token().await.unwrap();
    assert_eq!(client.get("/good").await, StatusCode::OK);
    assert_unavailable(&tokens.reject(&token));
    clock.advance(secs(28));
    assert_unavailable(&tokens.reject(&token));
    assert_eq!(source.requests(), 5);
    clock.advance(secs(1));
    let token = pending(tokens.reject(&token)).token().await.unwrap();
    assert_eq!(token.secret(), "t6");
}

#[tokio::test]
async fn a_failed_token_request_brings_no_replacement_and_backs_off() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::fails(ErrorKind::Unavailable));
    let clock = ManualClock::new();
    let tokens = cache(&source, &clock);
    let rejected = tokens.token().await.unwrap();
    assert!(pending(tokens.reject(&rejected)).token().await.is_none());
    assert_unavailable(&tokens.reject(&rejected));
    assert_eq!(source.requests(), 2);
    let error = tokens.status().last_error.unwrap();
    clock.advance(error.retry_after().unwrap());
    let token = pending(tokens.reject(&rejected)).token().await.unwrap();
    assert_eq!(token.secret(), "t2");
}

/// Issues one token again and again.
#[derive(Debug)]
struct SameToken;

#[async_trait]
impl TokenSource for SameToken {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        TokenResponse::bearer("the-same")
    }
}

#[tokio::test]
async fn a_server_that_hands_out_the_rejected_token_again_brings_no_replacement() {
    let builder = TokenCache::builder(SameToken);
    let tokens = builder.clock(ManualClock::new()).build();
    let rejected = tokens.token().await.unwrap();
    assert!(pending(tokens.reject(&rejected)).token().await.is_none());
    assert_eq!(tokens.status().token_requests, 2);
}

/// Both are the first token of their cache, and so have the same generation.
#[tokio::test]
async fn a_token_of_another_cache_does_not_cause_a_token_request() {
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = cache(&source, &clock);
    let own = tokens.token().await.unwrap();
    let other = GatedSource::open().cache().token().await.unwrap();
    assert_eq!(
        other.authorization().generation(),
        own.authorization().generation()
    );
    assert_eq!(ready(tokens.reject(&other)).secret(), "t1");
    settle().await;
    assert_eq!(source.requests(), 1);
}

/// A token request needs a runtime.
#[test]
fn outside_of_a_runtime_no_replacement_is_requested() {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::builder(source.clone())
        .clock(SystemClock)
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let rejected = runtime.block_on(tokens.token()).unwrap();
    assert_unavailable(&tokens.reject(&rejected));
    assert_eq!(source.requests(), 1);
}
