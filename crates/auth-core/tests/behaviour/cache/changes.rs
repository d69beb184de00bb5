//! `TokenCache::changes`: the receivers of each new token.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use auth_core::{
    Error, TokenCache, TokenChanges, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{ManualClock, TokioClock};
use futures_util::FutureExt;
use tokio_test::{assert_pending, assert_ready, task};

use super::cache;

const LIFETIME: u64 = 600;

/// A cache whose tokens live for [`LIFETIME`], and its clock.
fn setup() -> (TokenCache, ManualClock) {
    let clock = ManualClock::new();
    let tokens = cache(&Scripted::expires_in(LIFETIME), clock.clone());
    (tokens, clock)
}

/// Lets the current token expire, and waits for the next one.
async fn next_token(tokens: &TokenCache, clock: &ManualClock) -> String {
    clock.advance(secs(LIFETIME));
    tokens.token().await.unwrap().secret().to_owned()
}

fn current(changes: &TokenChanges) -> Option<String> {
    changes.current().map(|token| token.secret().to_owned())
}

/// The change that has been published and not been received yet.
#[track_caller]
fn received(changes: &mut TokenChanges) -> String {
    let change = changes.changed().now_or_never();
    let token = change.expect("no change has been published");
    token
        .expect("the cache has been dropped")
        .secret()
        .to_owned()
}

#[track_caller]
fn assert_no_change(changes: &mut TokenChanges) {
    let change = changes.changed().now_or_never();
    assert!(change.is_none(), "{change:?}");
}

#[tokio::test]
async fn each_new_token_is_received_once() {
    let (tokens, clock) = setup();
    let mut changes = tokens.changes();
    assert_eq!(current(&changes), None, "before the first token");
    assert_no_change(&mut changes);
    for expected in ["t1", "t2", "t3"] {
        assert_eq!(next_token(&tokens, &clock).await, expected);
        assert_eq!(current(&changes).as_deref(), Some(expected));
        assert_eq!(received(&mut changes), expected);
        assert_eq!(current(&changes).as_deref(), Some(expected));
        assert_no_change(&mut changes);
    }
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_by_a_new_token() {
    let (tokens, _clock) = setup();
    let mut changes = tokens.changes();
    let mut waiting = task::spawn(changes.changed());
    assert_pending!(waiting.poll());
    tokens.token().await.unwrap();
    assert!(waiting.is_woken());
    assert_eq!(assert_ready!(waiting.poll()).unwrap().secret(), "t1");
}

#[tokio::test]
async fn a_receiver_causes_no_token_request() {
    let source = Scripted::expires_in(LIFETIME);
    let tokens = cache(&source, ManualClock::new());
    let mut changes = tokens.changes();
    assert_no_change(&mut changes);
    assert_eq!(source.requests(), 0);
}

#[tokio::test]
async fn the_replacement_of_a_rejected_token_is_a_change() {
    let (tokens, _clock) = setup();
    let rejected = tokens.token().await.unwrap();
    let mut changes = tokens.changes();
    let auth_core::Replacement::Pending(pending) = tokens.reject(&rejected) else {
        panic!("expected a pending token");
    };
    pending.token().await.unwrap();
    assert_eq!(received(&mut changes), "t2");
}

#[tokio::test(start_paused = true)]
async fn a_background_refresh_is_a_change() {
    let source = Scripted::expires_in(LIFETIME);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    let mut changes = tokens.changes();
    tokio::time::advance(secs(490)).await;
    assert!(tokens.cached().is_some());
    let token = changes.changed().await.unwrap();
    assert_eq!(token.secret(), "t2");
}

/// Issues one token, and another one once the test says so.
#[derive(Clone, Debug, Default)]
struct Reissuing {
    other: Arc<AtomicBool>,
}

#[async_trait]
impl TokenSource for Reissuing {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let token = match self.other.load(SeqCst) {
            false => "the-same",
            true => "another",
        };
        Ok(TokenResponse::bearer(token)?.with_expires_in(secs(LIFETIME)))
    }
}

#[tokio::test]
async fn a_token_that_the_server_hands_out_again_is_no_change() {
    let (source, clock) = (Reissuing::default(), ManualClock::new());
    let tokens = cache(&source, clock.clone());
    tokens.token().await.unwrap();
    let mut changes = tokens.changes();
    assert_eq!(next_token(&tokens, &clock).await, "the-same");
    assert_eq!(tokens.status().tokens_received, 2);
    assert_no_change(&mut changes);
    source.other.store(true, SeqCst);
    assert_eq!(next_token(&tokens, &clock).await, "another");
    assert_eq!(received(&mut changes), "another");
}

#[tokio::test]
async fn a_receiver_gets_none_once_the_last_handle_has_been_dropped() {
    let (tokens, _clock) = setup();
    let mut changes = tokens.changes();
    let other = tokens.clone();
    tokens.token().await.unwrap();
    assert_eq!(received(&mut changes), "t1");
    let mut waiting = task::spawn(changes.changed());
    assert_pending!(waiting.poll());
    drop(tokens);
    assert_pending!(waiting.poll(), "another handle is left");
    drop(other);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_none());
    drop(waiting);
    assert_eq!(current(&changes).as_deref(), Some("t1"));
}

/// Does not answer, and counts its handles.
#[derive(Clone, Debug)]
struct Hanging(#[allow(dead_code, reason = "only counted")] Arc<()>);

#[async_trait]
impl TokenSource for Hanging {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_receiver_keeps_neither_the_cache_nor_its_token_request_alive() {
    let handles = Arc::new(());
    let tokens = cache(&Hanging(Arc::clone(&handles)), ManualClock::new());
    let mut changes = tokens.changes();
    let mut waiter = task::spawn(tokens.token());
    assert_pending!(waiter.poll());
    auth_test_support::settle().await;
    assert!(Arc::strong_count(&handles) > 1);
    drop(waiter);
    drop(tokens);
    auth_test_support::settle().await;
    assert_eq!(Arc::strong_count(&handles), 1);
    assert!(changes.changed().await.is_none());
}

#[tokio::test]
async fn a_receiver_that_falls_behind_gets_the_latest_token() {
    let (tokens, clock) = setup();
    let mut changes = tokens.changes();
    for _ in 0..3 {
        next_token(&tokens, &clock).await;
    }
    assert_eq!(received(&mut changes), "t3");
    assert_no_change(&mut changes);
}

#[tokio::test]
async fn the_token_that_is_current_at_the_subscription_is_no_change() {
    let (tokens, clock) = setup();
    tokens.token().await.unwrap();
    let mut changes = tokens.changes();
    assert_eq!(current(&changes).as_deref(), Some("t1"));
    assert_no_change(&mut changes);
    next_token(&tokens, &clock).await;
    let mut later = tokens.changes();
    assert_eq!(current(&later).as_deref(), Some("t2"));
    assert_no_change(&mut later);
    assert_eq!(received(&mut changes), "t2");
}

#[tokio::test]
async fn an_expired_token_stays_the_current_one_of_a_receiver() {
    let (tokens, clock) = setup();
    tokens.token().await.unwrap();
    clock.advance(secs(LIFETIME));
    assert!(tokens.cached().is_none());
    assert_eq!(current(&tokens.changes()).as_deref(), Some("t1"));
}

#[tokio::test]
async fn clones_receive_independently() {
    let (tokens, clock) = setup();
    let mut one = tokens.changes();
    next_token(&tokens, &clock).await;
    let mut other = one.clone();
    assert_eq!(received(&mut one), "t1");
    assert_eq!(received(&mut other), "t1");
    assert_no_change(&mut one);
}

#[tokio::test]
async fn a_dropped_wait_loses_no_change() {
    let (tokens, clock) = setup();
    let mut changes = tokens.changes();
    let mut waiting = task::spawn(changes.changed());
    assert_pending!(waiting.poll());
    next_token(&tokens, &clock).await;
    drop(waiting);
    assert_eq!(received(&mut changes), "t1");
}

/// The task that keeps the token warm holds no sender: it may be in a runtime that nothing drives.
#[test]
fn a_receiver_ends_with_the_last_handle_although_the_runtime_of_the_refresh_task_is_not_driven() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (not_driven, driven) = (runtime(), runtime());
    let tokens = TokenCache::builder(Scripted::expires_in(LIFETIME))
        .keep_warm()
        .build();
    let mut changes = tokens.changes();
    not_driven.block_on(async {
        tokens.token().await.unwrap();
        tokens.flush().await;
    });
    drop(tokens);
    driven.block_on(async {
        assert!(changes.changed().await.is_some());
        let ended = changes.changed().now_or_never();
        assert!(matches!(ended, Some(None)), "{ended:?}");
    });
}
