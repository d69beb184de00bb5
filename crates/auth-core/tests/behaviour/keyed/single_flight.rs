//! Single flight for each key, also while caches are evicted.

use std::{sync::Barrier, thread};

use auth_core::{TokenCache, TokenCaches};
use auth_test_support::{secs, settle};
use auth_testing::ManualClock;
use tokio::runtime::Builder;
use tokio_test::{assert_pending, task};

use super::{Register, caches, fill, read, tenant};

#[tokio::test]
async fn a_thousand_callers_of_ten_keys_make_ten_requests() {
    let source = Register::held();
    let tokens = caches(&source, &ManualClock::new());
    let callers = (0..1000).map(|caller| {
        let (tokens, request) = (tokens.clone(), tenant(caller % 10));
        tokio::spawn(async move { (fill(&tokens, &request).await, request) })
    });
    let callers: Vec<_> = callers.collect();
    settle().await;
    assert_eq!(source.in_flight(), 10);
    source.release();
    for caller in callers {
        let (token, request) = caller.await.unwrap();
        assert_eq!(source.request_of(&token), request);
    }
    assert_eq!((source.requests(), tokens.additional_caches()), (10, 10));
}

#[test]
fn concurrent_threads_create_one_cache_for_a_key() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 50;
    let source = Register::open();
    let tokens = TokenCaches::from(TokenCache::new(source.clone()));
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                for round in 0..ROUNDS {
                    start.wait();
                    let token = runtime.block_on(fill(&tokens, &tenant(round)));
                    assert_eq!(source.request_of(&token), tenant(round));
                }
            });
        }
    });
    assert_eq!(
        (source.requests(), tokens.additional_caches()),
        (ROUNDS, ROUNDS)
    );
}

#[tokio::test]
async fn a_cache_with_a_waiter_is_not_evicted() {
    let source = Register::held();
    let clock = ManualClock::new();
    let builder = TokenCaches::builder(super::default_cache(&source, &clock));
    let tokens = builder
        .max_capacity(1)
        .time_to_idle(secs(1))
        .build()
        .unwrap();
    let request = tenant(0);
    let mut waiting = task::spawn(fill(&tokens, &request));
    assert_pending!(waiting.poll());
    settle().await;
    clock.advance(secs(5));
    for other in 1..5 {
        drop(tokens.cache(&tenant(other)));
    }
    source.release();
    assert_eq!(waiting.await, "t1");
    assert_eq!(read(&tokens, &tenant(0)).as_deref(), Some("Bearer t1"));
    assert_eq!(source.requests(), 1);
}

#[tokio::test]
async fn a_request_without_waiters_ends_with_its_cache() {
    let source = Register::held();
    let builder = TokenCaches::builder(super::default_cache(&source, &ManualClock::new()));
    let tokens = builder.max_capacity(1).build().unwrap();
    let request = tenant(0);
    let mut dropped = task::spawn(fill(&tokens, &request));
    assert_pending!(dropped.poll());
    settle().await;
    drop(dropped);
    assert_eq!(source.in_flight(), 1);
    drop(tokens.cache(&tenant(1)));
    settle().await;
    assert_eq!(source.in_flight(), 0);
}

#[tokio::test]
async fn a_token_kept_warm_is_not_refreshed_after_its_cache_was_evicted() {
    let (source, clock) = (Register::open(), ManualClock::new());
    let default = TokenCache::builder(source.clone()).clock(clock.clone());
    let builder = TokenCaches::builder(default.keep_warm().build());
    let tokens = builder.max_capacity(1).build().unwrap();
    fill(&tokens, &tenant(0)).await;
    settle().await;
    assert_eq!(
        clock.sleepers(),
        1,
        "the task sleeps until the token is stale"
    );
    clock.advance(secs(500));
    settle().await;
    assert_eq!(source.requests(), 2, "the token was kept warm");
    drop(tokens.cache(&tenant(1)));
    clock.advance(secs(500));
    settle().await;
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn a_stale_token_is_refreshed_in_the_background() {
    let (source, clock) = (Register::open(), ManualClock::new());
    let tokens = caches(&source, &clock);
    fill(&tokens, &tenant(0)).await;
    clock.advance(secs(500));
    for _ in 0..10 {
        assert_eq!(read(&tokens, &tenant(0)).as_deref(), Some("Bearer t1"));
    }
    settle().await;
    assert_eq!(read(&tokens, &tenant(0)).as_deref(), Some("Bearer t2"));
    assert_eq!(source.requests(), 2);
}
