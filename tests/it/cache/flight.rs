//! One flight, and what becomes of those who wait for it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{
    Authorizer, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_testing::TokioClock;
use futures_util::FutureExt;
use http::Request;
use tokio_test::{assert_pending, task};
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use super::{
    cache, read, secs, settle,
    source::{Answer, Scripted},
    together,
};

#[tokio::test(start_paused = true)]
async fn a_thousand_cold_callers_make_one_request() {
    let source = Scripted::lives(600).takes(secs(2));
    let tokens = cache(&source, TokioClock::new());
    let outcomes = together(1000, || {
        let tokens = tokens.clone();
        async move { tokens.token().await.unwrap().secret().to_owned() }
    })
    .await;
    assert_eq!(outcomes, vec!["t1"; 1000]);
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn huskarl_azure_aws_32_cold_callers_of_a_failing_source_make_one_request() {
    let source = Scripted::always(Answer::fails(ErrorKind::Unavailable)).takes(secs(1));
    let tokens = cache(&source, TokioClock::new());
    let outcomes = together(32, || {
        let tokens = tokens.clone();
        async move { tokens.token().await.unwrap_err().kind() }
    })
    .await;
    assert_eq!(outcomes, [ErrorKind::Unavailable; 32]);
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn azure_19424_dropping_the_first_caller_neither_stops_nor_repeats_the_request() {
    let source = Scripted::lives(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut first = task::spawn(tokens.token());
    assert_pending!(first.poll());
    let mut second = task::spawn(tokens.token());
    assert_pending!(second.poll());
    settle().await;
    drop(first);
    source.release();
    assert_eq!(second.await.unwrap().secret(), "t1");
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_callers_have_all_gone_still_brings_its_token() {
    let source = Scripted::lives(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut only = task::spawn(tokens.token());
    assert_pending!(only.poll());
    drop(only);
    source.release();
    settle().await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn gcp_auth_a_caller_who_comes_as_the_token_lands_makes_no_second_request() {
    let source = Scripted::lives(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut early = task::spawn(tokens.token());
    assert_pending!(early.poll());
    settle().await;
    source.release();
    settle().await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
    assert_eq!(early.await.unwrap().secret(), "t1");
    assert_eq!(source.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn msal_net_4196_a_thousand_reads_of_a_due_token_start_one_request() {
    let source = Scripted::lives(600);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(490)).await;
    let source = source.hold();
    for _ in 0..1000 {
        assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"), "nobody waits");
        assert_eq!(tokens.token().await.unwrap().secret(), "t1");
    }
    settle().await;
    assert_eq!((source.requests(), source.in_flight()), (2, 1));
    source.release();
    settle().await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t2"));
    assert_eq!(source.most_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_source_is_an_error_and_the_next_call_works() {
    let source = Scripted::lives(600).then(Answer::Panics);
    let tokens = cache(&source, TokioClock::new());
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
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
async fn a_panic_before_there_is_a_future_is_the_same_error() {
    let tokens = TokenCache::new(PanicsAtOnce);
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_after_ten_seconds_for_everybody() {
    let source = Scripted::lives(600).then(Answer::Hangs);
    let tokens = cache(&source, TokioClock::new());
    let start = tokio::time::Instant::now();
    let outcomes = together(10, || {
        let tokens = tokens.clone();
        async move { tokens.token().await.unwrap_err().kind() }
    })
    .await;
    assert_eq!(outcomes, [ErrorKind::Timeout; 10]);
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(source.in_flight(), 0, "the attempt itself is over");
    tokio::time::advance(secs(2)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

#[tokio::test(start_paused = true)]
async fn redis_rs_2083_dropping_a_clone_stops_nothing() {
    let source = Scripted::lives(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut waiting = task::spawn(tokens.token());
    assert_pending!(waiting.poll());
    settle().await;
    drop(tokens.clone());
    settle().await;
    assert_eq!(source.in_flight(), 1);
    source.release();
    assert_eq!(waiting.await.unwrap().secret(), "t1");
}

#[tokio::test(start_paused = true)]
async fn restate_5154_the_last_handle_leaves_no_task_behind() {
    let source = Scripted::lives(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut waiting = task::spawn(async {
        let tokens = tokens;
        tokens.token().await
    });
    assert_pending!(waiting.poll());
    settle().await;
    assert_eq!(source.in_flight(), 1);
    drop(waiting);
    settle().await;
    assert_eq!(source.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_looks_late_gets_no_expired_token() {
    let source = Scripted::lives(60).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut late = task::spawn(tokens.token());
    assert_pending!(late.poll());
    settle().await;
    source.release();
    settle().await;
    tokio::time::advance(secs(3600)).await;
    assert_eq!(late.await.unwrap().secret(), "t2");
}

/// Hangs, and panics when it is given up.
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
async fn a_fetch_that_panics_when_it_is_given_up_is_a_failure_that_backs_off() {
    let source = PanicsWhenDropped::default();
    let tokens = TokenCache::builder(source.clone())
        .clock(TokioClock::new())
        .build();
    for _ in 0..5 {
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
    }
    assert_eq!(source.0.load(SeqCst), 1);
}

/// A subscriber that does as it is told with each event of ours.
struct OnEvent<F>(F);

impl<S: Subscriber, F: Fn() + 'static> Layer<S> for OnEvent<F> {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("auth_core") {
            (self.0)();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_uses_the_cache_meets_no_lock() {
    for answer in [
        Answer::Lives(secs(600)),
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
        let _ = tokens.token().await;
        settle().await;
        assert!(events.load(SeqCst) > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_harms_no_flight() {
    let source = Scripted::lives(600).then(Answer::fails(ErrorKind::Unavailable));
    let tokens = cache(&source, TokioClock::new());
    let layer = OnEvent(|| panic!("scripted"));
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    for _ in 0..5 {
        assert_eq!(
            tokens.token().await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
    }
    assert_eq!(source.requests(), 1, "it backs off all the same");
    tokio::time::advance(secs(2)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

#[test]
fn a_subscriber_that_calls_a_stranger_itself_meets_no_lock() {
    let tokens = TokenCache::new(Scripted::lives(600));
    let authorizer = Authorizer::builder(tokens).origin("https://api.example");
    let authorizer = authorizer.build().unwrap();
    let stranger = |host| Request::get(format!("https://{host}/")).body(()).unwrap();
    let events = Arc::new(AtomicUsize::new(0));
    let layer = OnEvent({
        let (authorizer, events) = (authorizer.clone(), Arc::clone(&events));
        move || {
            if events.fetch_add(1, SeqCst) == 0 {
                let _ = authorizer.authorize(&stranger("two.example"));
            }
        }
    });
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let _ = authorizer.authorize(&stranger("one.example"));
    assert!(events.load(SeqCst) > 0);
}
