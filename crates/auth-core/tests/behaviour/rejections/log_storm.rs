//! A storm of rejections is one line a second with a count, by the clock of the cache.

use std::time::Duration;

use auth_core::TokenCache;
use auth_test_support::{get, scripted::Scripted};
use auth_testing::ManualClock;

use super::{
    exchange::{bare, exchange},
    test_client::{ORIGIN, TestClient},
};
use crate::captured_log::CapturedLog;

/// Returns the suppressed events that each line of this event reports.
fn suppressed(log: &CapturedLog, message: &str) -> Vec<u64> {
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains(message));
    let counts = lines.map(|line| {
        let count = line.split("suppressed=").nth(1).expect(line);
        let count = count.split(|c: char| !c.is_ascii_digit()).next();
        count.unwrap().parse().unwrap()
    });
    counts.collect()
}

const REJECTED: &str = "the API rejected the access token gener";
const WITHHELD: &str = "no replacement is requested";

#[tokio::test]
async fn rejections_are_one_line_a_second_with_a_count() {
    let clock = ManualClock::new();
    let client = TestClient::new(Scripted::expires_in(86_400), clock.clone());
    client.tokens().token().await.unwrap();
    let (log, _guard) = CapturedLog::start();
    for _ in 0..300 {
        exchange(&client.authorizer, &get(ORIGIN), async |_| bare(401)).await;
        clock.advance(Duration::from_millis(10));
    }
    // 300 requests, of which the first was rejected twice
    assert_eq!(suppressed(&log, REJECTED), [0, 100, 99]);
    // the rejection that caused the replacement was not withheld
    assert_eq!(suppressed(&log, WITHHELD), [0, 99, 99]);
    clock.advance(Duration::from_secs(3600));
    exchange(&client.authorizer, &get(ORIGIN), async |_| bare(401)).await;
    assert_eq!(suppressed(&log, REJECTED)[3], 99);
}

#[tokio::test]
async fn rejections_that_a_program_reports_are_one_line_a_second_too() {
    let tokens = TokenCache::builder(Scripted::expires_in(86_400));
    let tokens = tokens.clock(ManualClock::new()).build();
    let token = tokens.token().await.unwrap();
    let (log, _guard) = CapturedLog::start();
    for _ in 0..1000 {
        let _ = tokens.reject(&token);
    }
    assert_eq!(suppressed(&log, REJECTED), [0]);
}

#[tokio::test]
async fn each_cache_has_a_line_of_its_own() {
    let clock = ManualClock::new();
    let clients = [(), ()].map(|()| TestClient::new(Scripted::expires_in(600), clock.clone()));
    let (log, _guard) = CapturedLog::start();
    for client in &clients {
        exchange(&client.authorizer, &get(ORIGIN), async |_| bare(401)).await;
    }
    assert_eq!(suppressed(&log, REJECTED), [0, 0]);
}
