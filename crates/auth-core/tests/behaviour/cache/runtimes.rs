//! Caches are built outside a runtime, and outlive runtimes.

use std::time::Duration;

use auth_core::{ErrorKind, TokenCache};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::ManualClock;
use tokio::runtime::{Builder, Runtime};
use tokio_test::{assert_pending, task};

use super::{cache, read};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn construction_needs_no_runtime_and_a_wait_outside_one_is_an_error() {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::new(source.clone());
    assert!(tokens.cached().is_none());
    let outcome = tokio_test::task::spawn(tokens.token()).poll();
    let std::task::Poll::Ready(Err(error)) = outcome else {
        panic!("expected an error at once, got {outcome:?}");
    };
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    let token = current_thread().block_on(tokens.token());
    assert_eq!(token.unwrap().secret(), "t1");
}

#[test]
fn a_wait_outside_a_runtime_for_a_request_inside_one_is_an_error_too() {
    let source = Scripted::expires_in(600).hold();
    let tokens = TokenCache::new(source.clone());
    let runtime = current_thread();
    let mut inside = task::spawn(tokens.token());
    runtime.block_on(async {
        assert_pending!(inside.poll());
        settle().await;
    });
    let outside = task::spawn(tokens.token()).poll();
    let std::task::Poll::Ready(Err(error)) = outside else {
        panic!("expected an error at once, got {outside:?}");
    };
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
}

#[test]
fn a_stale_read_outside_a_runtime_starts_no_refresh_and_the_next_one_inside_does() {
    let source = Scripted::expires_in(600);
    let clock = ManualClock::new();
    let tokens = cache(&source, clock.clone());
    let runtime = current_thread();
    runtime.block_on(tokens.token()).unwrap();
    clock.advance(secs(490));
    assert!(read(&tokens).is_some());
    assert_eq!(source.requests(), 1);
    runtime.block_on(async {
        assert!(read(&tokens).is_some());
        settle().await;
    });
    assert_eq!(source.requests(), 2);
}

/// Reported elsewhere: azure-sdk-for-net#44817.
#[test]
fn a_caller_in_another_runtime_repeats_the_request_of_a_dropped_runtime() {
    let source = Scripted::expires_in(600).hold();
    let tokens = cache(&source, ManualClock::new());
    let (first, second) = (current_thread(), current_thread());
    let mut lost = task::spawn(tokens.token());
    first.block_on(async {
        assert_pending!(lost.poll());
        settle().await;
    });
    let mut waiting = task::spawn(tokens.token());
    second.block_on(async {
        assert_pending!(waiting.poll());
        first.shutdown_background();
        source.release();
        assert_eq!(waiting.await.unwrap().secret(), "t1");
    });
    assert_eq!(source.requests(), 2);
}

#[test]
fn a_runtime_that_is_no_longer_driven_delays_a_waiter_for_at_most_one_attempt() {
    let source = Scripted::expires_in(600).hold();
    let clock = ManualClock::new();
    let tokens = cache(&source, clock.clone());
    let (stalled, driven) = (current_thread(), current_thread());
    let mut lost = task::spawn(tokens.token());
    stalled.block_on(async {
        assert_pending!(lost.poll());
        settle().await;
    });
    driven.block_on(async {
        let mut waiting = task::spawn(tokens.token());
        assert_pending!(waiting.poll());
        source.release();
        clock.advance(secs(10));
        assert_pending!(waiting.poll());
        clock.advance(Duration::from_millis(500));
        assert!(waiting.is_woken());
        assert_eq!(waiting.await.unwrap().secret(), "t1");
    });
    assert_eq!(source.requests(), 2);
    // when the first runtime is driven again, its late outcome is ignored
    stalled.block_on(settle());
    assert_eq!(read(&tokens).as_deref(), Some("Bearer t1"));
}
