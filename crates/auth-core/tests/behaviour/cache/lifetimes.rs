//! Tokens of many lifetimes, read at regular intervals over many refreshes.

use std::{ops::RangeInclusive, time::Duration};

use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::TokioClock;

use super::cache;

const PERIODS: u32 = 60;
/// The number of reads in a lifetime.
const READS: u32 = 100;

/// Reads for many lifetimes. A read that finds the token stale starts its refresh, which finishes before
/// the next read. The time between two tokens is therefore the time until a token is stale.
async fn periods(lifetime: Duration) -> Vec<Duration> {
    let source = Scripted::always(Answer::ExpiresIn(lifetime));
    let tokens = cache(&source, TokioClock::new());
    tokens.token().await.unwrap();
    let mut since = tokio::time::Instant::now();
    let (mut last, mut periods) = (1, Vec::new());
    let end = since + lifetime * PERIODS;
    while tokio::time::Instant::now() < end {
        tokio::time::advance(lifetime / READS).await;
        let found = tokens.cached().expect("a usable token is cached");
        assert_eq!(found.generation(), last, "the latest token is read");
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
        "each token request brought a new token"
    );
    periods
}

/// Asserts that all periods, in thousandths of a lifetime, are within the range of window and jitter and
/// spread over that range. A read may be late by one hundredth of a lifetime.
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
    // at most once in a billion runs all of fifty draws are in one half
    let middle = (*stale.start() + *stale.end()) / 2;
    assert!(
        *first < middle && middle < *last,
        "{first:?}–{last:?} of {stale:?}"
    );
}

/// A fixed margin of five minutes causes one token request per call if tokens live for five minutes
/// (aspnetcore#60118). Google's Java library does so for three minutes, Duende for one minute or less.
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
