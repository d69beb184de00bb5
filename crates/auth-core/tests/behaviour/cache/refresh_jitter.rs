//! Jitter: many caches that start together do not refresh together.

use auth_core::TokenCache;
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::{ManualClock, TokioClock};

use super::cache;

/// Reported elsewhere: google-cloud-rust#1587.
#[tokio::test(start_paused = true)]
async fn caches_that_start_together_do_not_refresh_together() {
    let clock = TokioClock::new();
    let source = Scripted::expires_in(3600);
    let fleet: Vec<TokenCache> = (0..200).map(|_| cache(&source, clock)).collect();
    for tokens in &fleet {
        tokens.token().await.unwrap();
    }
    // stale within 2310–3030 s: 144 slots of five seconds
    tokio::time::advance(secs(2310)).await;
    let mut max = 0;
    for _ in 0..144 {
        let before = source.requests();
        tokio::time::advance(secs(5)).await;
        for tokens in &fleet {
            assert!(tokens.cached().is_some());
        }
        settle().await;
        max = max.max(source.requests() - before);
    }
    assert_eq!(source.requests(), 400, "each cache has refreshed once");
    // 1.4 on average, and more than 15 once in a billion runs
    assert!(max <= 15, "{max} of 200 in five seconds");
}

/// Jitter that is drawn at each check makes a busy client refresh at the start of the window.
///
/// Reported elsewhere: MSAL.
#[tokio::test]
async fn jitter_is_drawn_once_for_a_token() {
    let clock = ManualClock::new();
    for _ in 0..10 {
        let tokens = cache(&Scripted::expires_in(3600), clock.clone());
        tokens.token().await.unwrap();
        clock.advance(secs(2381));
        let mut was_stale = false;
        for _ in 0..650 {
            for _ in 0..20 {
                let stale = tokens.status().stale;
                assert!(stale || !was_stale, "stale, and then not");
                was_stale = stale;
            }
            clock.advance(secs(1));
        }
        assert!(was_stale);
    }
}
