//! Token sources and log subscribers that panic, or that use the cache which calls them.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{
    Authorizer, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::TokioClock;
use futures_util::FutureExt;
use http::Request;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use super::{cache, read};

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_source_is_an_error_and_the_next_call_works() {
    let source = Scripted::expires_in(600).then(Answer::Panics);
    let tokens = cache(&source, TokioClock::new());
    let error = with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.to_string(), "the token source panicked");
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    tokio::time::advance(secs(2)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

/// Panics when it is called, before there is a future to poll.
#[derive(Debug)]
struct PanicsAtOnce;

impl TokenSource for PanicsAtOnce {
    fn fetch<'a, 'b, 'c>(
        &'a self,
        _request: &'b TokenRequest,
    ) -> Pin<Box<dyn Future<Output = Result<TokenResponse, Error>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        panic!("scripted");
    }
}

#[tokio::test]
async fn a_panic_of_the_call_itself_is_the_same_error() {
    let tokens = TokenCache::new(PanicsAtOnce);
    let error = with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.to_string(), "the token source panicked");
}

/// Reported elsewhere: google-cloud-rust#6697.
#[tokio::test(start_paused = true)]
async fn a_panic_in_a_refresh_reaches_no_caller() {
    let source = Scripted::expires_in(600)
        .then(Answer::ExpiresIn(secs(600)))
        .then(Answer::Panics);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(490)).await;
    for expected in ["Bearer t1", "Bearer t1"] {
        assert_eq!(read(&tokens).as_deref(), Some(expected));
        settle().await;
    }
    let status = tokens.status();
    assert_eq!(status.last_error.unwrap().kind(), ErrorKind::Panicked);
    assert_eq!((status.token_requests, status.consecutive_failures), (2, 1));
    tokio::time::advance(secs(2)).await;
    for expected in ["Bearer t1", "Bearer t2"] {
        assert_eq!(read(&tokens).as_deref(), Some(expected));
        settle().await;
    }
}

/// Uses the cache that calls it, during a token request.
#[derive(Debug, Default)]
struct UsesItsCache(Mutex<Option<TokenCache>>);

#[async_trait]
impl TokenSource for UsesItsCache {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let tokens = self.0.lock().unwrap().take().expect("one request");
        assert!(tokens.cached().is_none());
        assert!(tokens.status().in_flight);
        tokens.clear_backoff();
        assert!(
            tokens.token().now_or_never().is_none(),
            "the call waits for this token request"
        );
        tokio::time::sleep(secs(1)).await;
        assert!(tokens.status().in_flight);
        Ok(TokenResponse::bearer("t1")?.with_expires_in(secs(600)))
    }
}

/// Reported elsewhere: kube#835, golang/oauth2.
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_while_a_token_is_requested() {
    let source = Arc::new(UsesItsCache::default());
    let tokens = cache(&source, TokioClock::new());
    *source.0.lock().unwrap() = Some(tokens.clone());
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

/// Hangs, and panics when the token request is dropped.
#[derive(Clone, Debug, Default)]
struct PanicsWhenDropped(Arc<AtomicUsize>);

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("scripted");
        }
    }
}

#[async_trait]
impl TokenSource for PanicsWhenDropped {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch_add(1, SeqCst);
        let _bomb = Bomb;
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_when_it_times_out_is_a_failure_that_backs_off() {
    let source = PanicsWhenDropped::default();
    let tokens = TokenCache::builder(source.clone())
        .clock(TokioClock::new())
        .build();
    for _ in 0..5 {
        let error = with_timeout(tokens.token()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
    }
    assert_eq!(source.0.load(SeqCst), 1);
}

/// Calls a function for each log event of auth-core.
struct OnEvent<F>(F);

impl<S: Subscriber, F: Fn() + 'static> Layer<S> for OnEvent<F> {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("auth_core") {
            (self.0)();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_uses_the_cache_does_not_deadlock() {
    for answer in [
        Answer::ExpiresIn(secs(600)),
        Answer::fails(ErrorKind::Unavailable),
    ] {
        let tokens = cache(&Scripted::always(answer), TokioClock::new());
        let events = Arc::new(AtomicUsize::new(0));
        let layer = OnEvent({
            let (tokens, events) = (tokens.clone(), Arc::clone(&events));
            move || {
                events.fetch_add(1, SeqCst);
                let _ = (
                    tokens.cached(),
                    tokens.status(),
                    tokens.token().now_or_never(),
                );
            }
        });
        let _guard = tracing_subscriber::registry().with(layer).set_default();
        let _ = with_timeout(tokens.token()).await;
        settle().await;
        assert!(events.load(SeqCst) > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_does_not_fail_a_token_request() {
    let source = Scripted::expires_in(600).then(Answer::fails(ErrorKind::Unavailable));
    let tokens = cache(&source, TokioClock::new());
    let layer = OnEvent(|| panic!("scripted"));
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    for _ in 0..5 {
        assert_eq!(
            with_timeout(tokens.token()).await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
    }
    assert_eq!(source.requests(), 1, "the cache backs off");
    tokio::time::advance(secs(2)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

#[test]
fn a_subscriber_that_sends_a_request_to_an_unlisted_origin_does_not_deadlock() {
    let tokens = TokenCache::new(Scripted::expires_in(600));
    let authorizer = Authorizer::builder(tokens).origin("https://api.example");
    let authorizer = authorizer.build().unwrap();
    let unlisted = |host| Request::get(format!("https://{host}/")).body(()).unwrap();
    let events = Arc::new(AtomicUsize::new(0));
    let layer = OnEvent({
        let (authorizer, events) = (authorizer.clone(), Arc::clone(&events));
        move || {
            if events.fetch_add(1, SeqCst) == 0 {
                let _ = authorizer.authorize(&unlisted("two.example"));
            }
        }
    });
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let _ = authorizer.authorize(&unlisted("one.example"));
    assert!(events.load(SeqCst) > 0);
}
