//! Single flight: at most one token request is in flight, and all waiters receive its outcome.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    ErrorKind, TokenCache,
    time::{Clock, Now, Sleep},
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::{ManualClock, TokioClock};
use tokio::runtime::Builder;
use tokio_test::{assert_pending, task};

use super::{cache, read, together};

/// Reported elsewhere: spring-security#15295.
#[tokio::test(start_paused = true)]
async fn a_thousand_cold_callers_make_one_request() {
    let source = Scripted::expires_in(600).latency(secs(2));
    let tokens = cache(&source, TokioClock::new());
    let outcomes = together(1000, || {
        let tokens = tokens.clone();
        async move { tokens.token().await.unwrap().secret().to_owned() }
    })
    .await;
    assert_eq!(outcomes, vec!["t1"; 1000]);
    assert_eq!(source.requests(), 1);
}

/// Reported elsewhere: huskarl, `azure_core`, aws-smithy-runtime, reqsign (32 requests of 32 callers).
#[tokio::test(start_paused = true)]
async fn cold_callers_of_a_failing_source_make_one_request() {
    let source = Scripted::always(Answer::fails(ErrorKind::Unavailable)).latency(secs(1));
    let tokens = cache(&source, TokioClock::new());
    let outcomes = together(32, || {
        let tokens = tokens.clone();
        async move { with_timeout(tokens.token()).await.unwrap_err().kind() }
    })
    .await;
    assert_eq!(outcomes, [ErrorKind::Unavailable; 32]);
    assert_eq!(source.requests(), 1);
}

/// Reported elsewhere: azure-sdk-for-net#19424.
#[tokio::test(start_paused = true)]
async fn dropping_the_first_caller_neither_stops_nor_repeats_the_request() {
    let source = Scripted::expires_in(600).hold();
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
async fn a_request_whose_callers_were_all_dropped_still_stores_its_token() {
    let source = Scripted::expires_in(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut only = task::spawn(tokens.token());
    assert_pending!(only.poll());
    drop(only);
    source.release();
    settle().await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
    assert_eq!(source.requests(), 1);
}

/// Reported elsewhere: `gcp_auth`.
#[tokio::test(start_paused = true)]
async fn a_caller_that_arrives_with_the_outcome_makes_no_second_request() {
    let source = Scripted::expires_in(600).hold();
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

/// A clock that stands still, and calls a function at its second read: after the cache has read the token,
/// and before it takes the lock.
#[derive(Debug)]
struct Between {
    reads: AtomicUsize,
    tokens: Arc<Mutex<Option<TokenCache>>>,
}

impl Clock for Between {
    fn now(&self) -> Now {
        if self.reads.fetch_add(1, SeqCst) == 1 {
            let tokens = self.tokens.lock().unwrap().take().unwrap();
            let elsewhere = || {
                let runtime = Builder::new_current_thread().build().unwrap();
                runtime.block_on(tokens.token()).unwrap()
            };
            let landed = std::thread::scope(|scope| scope.spawn(elsewhere).join().unwrap());
            assert_eq!(landed.secret(), "t1");
        }
        ManualClock::new().now()
    }

    fn sleep_until(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

/// Reported elsewhere: `gcp_auth`.
#[tokio::test]
async fn a_token_stored_between_the_read_and_the_lock_is_not_requested_again() {
    let source = Scripted::expires_in(600);
    let handle = Arc::new(Mutex::new(None));
    let clock = Between {
        reads: AtomicUsize::new(0),
        tokens: Arc::clone(&handle),
    };
    let tokens = cache(&source, clock);
    *handle.lock().unwrap() = Some(tokens.clone());
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
    assert_eq!(source.requests(), 1);
}

/// Reported elsewhere: MSAL.NET#4196.
#[tokio::test(start_paused = true)]
async fn a_thousand_reads_of_a_stale_token_start_one_request() {
    let source = Scripted::expires_in(600);
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    tokio::time::advance(secs(490)).await;
    let source = source.hold();
    for _ in 0..1000 {
        assert_eq!(
            read(&tokens).as_deref(),
            Some("Bearer t1"),
            "a usable token is cached"
        );
        assert_eq!(tokens.token().await.unwrap().secret(), "t1");
    }
    settle().await;
    assert_eq!((source.requests(), source.in_flight()), (2, 1));
    source.release();
    settle().await;
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t2"));
    assert_eq!(source.max_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_after_ten_seconds_for_every_waiter() {
    let source = Scripted::expires_in(600).then(Answer::Hangs);
    let tokens = cache(&source, TokioClock::new());
    let start = tokio::time::Instant::now();
    let outcomes = together(10, || {
        let tokens = tokens.clone();
        async move { with_timeout(tokens.token()).await.unwrap_err().kind() }
    })
    .await;
    assert_eq!(outcomes, [ErrorKind::Timeout; 10]);
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(source.in_flight(), 0, "the attempt has ended");
    tokio::time::advance(secs(2)).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "t1");
}

/// Reported elsewhere: redis-rs#2083.
#[tokio::test(start_paused = true)]
async fn dropping_a_clone_stops_nothing() {
    let source = Scripted::expires_in(600).hold();
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

/// Reported elsewhere: restate#5154.
#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_leaves_no_task_behind() {
    let source = Scripted::expires_in(600).hold();
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
async fn a_waiter_that_is_polled_late_gets_no_expired_token() {
    let source = Scripted::expires_in(60).hold();
    let tokens = cache(&source, TokioClock::new());
    let mut late = task::spawn(tokens.token());
    assert_pending!(late.poll());
    settle().await;
    source.release();
    settle().await;
    tokio::time::advance(secs(3600)).await;
    assert_eq!(late.await.unwrap().secret(), "t2");
}

/// Reported elsewhere: teamclaude-rs#325, azure-sdk-for-net#19424.
#[tokio::test(start_paused = true)]
async fn waiters_whose_first_caller_is_aborted_get_the_token() {
    let source = Scripted::expires_in(600).hold();
    let tokens = cache(&source, TokioClock::new());
    let ask = || {
        let tokens = tokens.clone();
        tokio::spawn(async move { tokens.token().await.unwrap().secret().to_owned() })
    };
    let leader = ask();
    settle().await;
    let herd: Vec<_> = (0..10).map(|_| ask()).collect();
    settle().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    source.release();
    for waiter in herd {
        assert_eq!(waiter.await.unwrap(), "t1");
    }
    assert_eq!(source.requests(), 1);
}

/// A library used the context of the first caller, including its deadline, for every later token.
///
/// Reported elsewhere: golang/oauth2#388.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_first_caller_does_not_end_the_request_of_other_callers() {
    let source = Scripted::expires_in(600).latency(secs(3));
    let tokens = cache(&source, TokioClock::new());
    let first = tokio::time::timeout(secs(1), tokens.token());
    let second = tokio::time::timeout(secs(4), tokens.token());
    let (first, second) = tokio::join!(first, second);
    assert!(
        first.is_err(),
        "the deadline of the first caller has passed"
    );
    assert_eq!(second.unwrap().unwrap().secret(), "t1");
    for number in 2..=5 {
        tokio::time::advance(secs(482)).await;
        assert!(read(&tokens).is_some());
        settle().await;
        tokio::time::sleep(Duration::from_millis(3001)).await;
        assert_eq!(read(&tokens), Some(format!("Bearer t{number}")));
    }
    assert_eq!(source.requests(), 5);
}
