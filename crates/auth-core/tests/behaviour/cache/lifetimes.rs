//! Tokens of every lifetime, over many of their periods, with a steady reader.

use std::{ops::RangeInclusive, time::Duration};

use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::TokioClock;

use super::cache;

const PERIODS: u32 = 60;
/// Reads in a lifetime.
const READS: u32 = 100;

/// Reads for many lifetimes. A read that finds the token stale starts its refresh, which is done
/// before the next read: so the times between tokens are those until a token is stale.
async fn periods(lifetime: Duration) -> Vec<Duration> {
    let source = Scripted::always(Answer::ExpiresIn(lifetime));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    let mut since = tokio::time::Instant::now();
    let (mut last, mut periods) = (1, Vec::new());
    let end = since + lifetime * PERIODS;
    while tokio::time::Instant::now() < end {
        tokio::time::advance(lifetime / READS).await;
        let found = tokens.cached().expect("nobody waits");
        assert_eq!(found.generation(), last, "the newest");
        let margin = (lifetime / 20)
            .min(secs(30))
            .max((lifetime / 3).min(secs(1)));
        assert!(since.elapsed() < lifetime - margin, "expired");
        settle().await;
        let newest = tokens.status().tokens_received;
        if newest > last {
            assert_eq!(newest, last + 1);
            periods.push(since.elapsed());
            (since, last) = (tokio::time::Instant::now(), newest);
        }
    }
    assert_eq!(
        source.requests(),
        periods.len() + 1,
        "nothing was asked for in vain"
    );
    periods
}

/// Whether all periods are within what window and jitter allow, in thousandths of a lifetime, and
/// spread over it; a read may come one hundredth late.
async fn assert_stale(seconds: u64, stale: RangeInclusive<u64>) {
    let lifetime = secs(seconds);
    let stale = lifetime * u32::try_from(*stale.start()).unwrap() / 1000
        ..=lifetime * u32::try_from(*stale.end()).unwrap() / 1000 + lifetime / READS;
    let periods = periods(lifetime).await;
    assert!(periods.len() >= 50, "{} periods", periods.len());
    let (first, last) = (periods.iter().min().unwrap(), periods.iter().max().unwrap());
    assert!(
        stale.contains(first) && stale.contains(last),
        "{first:?}–{last:?} not in {stale:?}"
    );
    // fifty draws leave one half out once in a billion runs, at most
    let middle = (*stale.start() + *stale.end()) / 2;
    assert!(
        *first < middle && middle < *last,
        "{first:?}–{last:?} of {stale:?}"
    );
}

/// A fixed margin of five minutes makes one request per call of a five minute token
/// (aspnetcore#60118; Google's Java library of a three minute one; Duende of a minute or less).
#[tokio::test(start_paused = true)]
async fn tokens_of_minutes_are_used() {
    assert_stale(180, 620..=800).await;
    assert_stale(300, 620..=800).await;
    assert_stale(600, 620..=800).await;
}

/// Reported elsewhere: Duende.
#[tokio::test(start_paused = true)]
async fn tokens_of_a_minute_or_less_are_used() {
    assert_stale(60, 620..=800).await;
    assert_stale(30, 620..=800).await;
}

/// Signicat allows 1 to 3600 s.
#[tokio::test(start_paused = true)]
async fn tokens_of_one_second_to_an_hour_are_used() {
    assert_stale(1, 336..=517).await;
    assert_stale(3, 336..=517).await;
    assert_stale(3600, 661..=842).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_day_is_refreshed_about_an_hour_before_it_expires() {
    assert_stale(86_400, 930..=969).await;
}
