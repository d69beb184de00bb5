//! A stale token in the store is used only by processes without a token.

use std::time::Duration;

use auth_core::ErrorKind;
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::{MemoryStore, TokioClock};
use tokio::time::{Instant, advance};

use super::{process, secret};

/// An age at which the token is stale, and expires in 80 s.
const STALE_AGE: Duration = Duration::from_secs(490);

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_during_an_outage_uses_the_stale_token() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let first = process(&Scripted::expires_in(600), &store, clock);
    assert_eq!(secret(&first).await, "t1");
    advance(STALE_AGE).await;
    let down = Scripted::always(Answer::fails(ErrorKind::Unavailable));
    assert_eq!(secret(&process(&down, &store, clock)).await, "t1");
}

#[tokio::test(start_paused = true)]
async fn a_starting_process_does_not_wait_for_the_refresh() {
    let (clock, store) = (TokioClock::new(), MemoryStore::new());
    let source = Scripted::expires_in(600);
    let first = process(&source, &store, clock);
    assert_eq!(secret(&first).await, "t1");
    advance(STALE_AGE).await;
    let slow = source.clone().latency(secs(5));
    let refreshing = process(&slow, &store, clock);
    assert_eq!(secret(&refreshing).await, "t1");
    assert_eq!(secret(&refreshing).await, "t1");
    settle().await;
    assert_eq!(slow.in_flight(), 1);
    let (new, started) = (process(&source, &store, clock), Instant::now());
    assert_eq!(secret(&new).await, "t1");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_next_read_refreshes_the_stale_token_for_every_process() {
    let (clock, store, source) = (
        TokioClock::new(),
        MemoryStore::new(),
        Scripted::expires_in(600),
    );
    let first = process(&source, &store, clock);
    assert_eq!(secret(&first).await, "t1");
    advance(STALE_AGE).await;
    let late = process(&source, &store, clock);
    for expected in ["t1", "t1", "t2"] {
        assert_eq!(secret(&late).await, expected);
        settle().await;
    }
    assert_eq!(secret(&first).await, "t1", "the own token is stale");
    settle().await;
    assert_eq!(secret(&first).await, "t2", "the token of the other process");
    assert_eq!(source.requests(), 2);
}
