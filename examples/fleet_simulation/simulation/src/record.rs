//! The record of a simulation, and its statistics.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// The length of the buckets in which requests are counted for a peak-to-mean ratio.
///
/// At 22 requests a second a bucket of 10 s holds 222 ± 15 requests (Poisson). By chance alone, the
/// highest of the 45 buckets in a period is about 15 % above the mean. With buckets of 1 s it would be
/// 65 % above, and hide the effect of the policy.
pub const BUCKET: Duration = Duration::from_secs(10);

/// The record of one simulation.
#[derive(Clone, Debug)]
pub struct Record {
    start: Instant,
    /// Token requests in each second.
    pub requests: Vec<u32>,
    /// Operations of the shared store in each second.
    pub store_operations: Vec<u32>,
    /// The number of processes without a usable token at each sample time.
    pub samples: Vec<(Duration, usize)>,
    tokens: u64,
}

impl Record {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            requests: Vec::new(),
            store_operations: Vec::new(),
            samples: Vec::new(),
            tokens: 0,
        }
    }

    pub(super) fn request(&mut self, now: Instant) {
        count(&mut self.requests, now - self.start);
    }

    /// Returns the number of the next token.
    pub(super) fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    pub(super) fn store_operation(&mut self, now: Instant) {
        count(&mut self.store_operations, now - self.start);
    }

    /// Extends the counts to one for each second of `length`.
    pub(super) fn of_length(mut self, length: Duration) -> Self {
        self.requests.resize(seconds(length), 0);
        self.store_operations.resize(seconds(length), 0);
        self
    }
}

impl Record {
    /// Returns the number of token requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.iter().map(|count| u64::from(*count)).sum()
    }

    /// Returns the token requests in each second between two times.
    #[must_use]
    pub fn requests(&self, from: Duration, to: Duration) -> &[u32] {
        self.requests
            .get(seconds(from)..seconds(to))
            .unwrap_or_default()
    }

    /// Returns the highest bucket divided by the mean of all buckets, for each period.
    ///
    /// Period n starts n − 1 times `period` after the fleet. Refreshes that stay in step therefore show at
    /// the start of each period.
    #[must_use]
    pub fn peak_to_mean(&self, period: Duration, bucket: Duration) -> Vec<f64> {
        let buckets = (period.as_secs_f64() / bucket.as_secs_f64()).round() as usize;
        let rates = rates(&self.requests, bucket);
        let over_mean = |rates: &[f64]| {
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            rates.iter().copied().fold(0.0, f64::max) / mean
        };
        rates.chunks_exact(buckets.max(1)).map(over_mean).collect()
    }

    /// Returns the max number of processes without a usable token in the samples after `since`.
    #[must_use]
    pub fn most_without_token(&self, since: Duration) -> usize {
        let samples = self.samples.iter().filter(|(at, _)| *at > since);
        samples
            .map(|(_, without)| *without)
            .max()
            .unwrap_or_default()
    }

    /// Returns the time from `since` until all processes have a usable token in every later sample.
    /// `None` if there is no such time.
    #[must_use]
    pub fn recovered_after(&self, since: Duration) -> Option<Duration> {
        let last = self.samples.iter().rposition(|(_, without)| *without > 0)?;
        let (next, _) = self.samples.get(last + 1)?;
        Some(next.saturating_sub(since))
    }

    /// Sums the time without a usable token over all processes, between two times.
    #[must_use]
    pub fn time_without_token(&self, from: Duration, to: Duration) -> Duration {
        let pairs = self
            .samples
            .windows(2)
            .filter(|pair| pair[0].0 >= from && pair[1].0 <= to);
        pairs
            .map(|pair| (pair[1].0 - pair[0].0).mul_f64(pair[1].1 as f64))
            .sum()
    }
}

/// Returns the mean count per second of each bucket.
#[must_use]
pub fn rates(counts: &[u32], bucket: Duration) -> Vec<f64> {
    let buckets = counts.chunks_exact(seconds(bucket).max(1));
    buckets
        .map(|bucket| f64::from(bucket.iter().sum::<u32>()) / bucket.len() as f64)
        .collect()
}

fn count(counts: &mut Vec<u32>, at: Duration) {
    let second = seconds(at);
    if counts.len() <= second {
        counts.resize(second + 1, 0);
    }
    counts[second] += 1;
}

fn seconds(time: Duration) -> usize {
    usize::try_from(time.as_secs()).unwrap_or(usize::MAX)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
