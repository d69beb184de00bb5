//! What happened, and what it comes to.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// Requests are counted in buckets of 10 s where an evenness is told.
///
/// At 22 requests a second one holds 222, and by chance alone (Poisson) 15 more or less: the highest
/// of the 45 in a period then stands some 15 % above the mean. In buckets of 1 s chance alone would
/// make that 65 %, and hide what is looked for.
pub const BUCKET: Duration = Duration::from_secs(10);

/// What a run has brought.
#[derive(Clone, Debug)]
pub struct Record {
    start: Instant,
    /// Token requests in each second.
    pub requests: Vec<u32>,
    /// Operations of the shared store in each second.
    pub store_operations: Vec<u32>,
    /// When it was looked, and how many processes had no usable token.
    pub looks: Vec<(Duration, usize)>,
    tokens: u64,
}

impl Record {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            requests: Vec::new(),
            store_operations: Vec::new(),
            looks: Vec::new(),
            tokens: 0,
        }
    }

    pub(super) fn request(&mut self, now: Instant) {
        count(&mut self.requests, now - self.start);
    }

    /// The number of the token that is handed out.
    pub(super) fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    pub(super) fn store_operation(&mut self, now: Instant) {
        count(&mut self.store_operations, now - self.start);
    }

    /// With one count for each second of `length`.
    pub(super) fn of_length(mut self, length: Duration) -> Self {
        self.requests.resize(seconds(length), 0);
        self.store_operations.resize(seconds(length), 0);
        self
    }
}

impl Record {
    /// Token requests in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.iter().map(|count| u64::from(*count)).sum()
    }

    /// Token requests in each second between two times.
    #[must_use]
    pub fn requests(&self, from: Duration, to: Duration) -> &[u32] {
        self.requests
            .get(seconds(from)..seconds(to))
            .unwrap_or_default()
    }

    /// The highest bucket over the mean of all, for each period.
    ///
    /// The second starts one `period` after the fleet, and so on: a crest that moves with the tokens
    /// stands where a period begins.
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

    /// How many had no usable token, at worst, when it was looked after `since`.
    #[must_use]
    pub fn most_without_token(&self, since: Duration) -> usize {
        let looks = self.looks.iter().filter(|(at, _)| *at > since);
        looks.map(|(_, without)| *without).max().unwrap_or_default()
    }

    /// When all had a usable token again and kept one, counted from `since`; `None` if they never
    /// did.
    #[must_use]
    pub fn recovered_after(&self, since: Duration) -> Option<Duration> {
        let last = self.looks.iter().rposition(|(_, without)| *without > 0)?;
        let (next, _) = self.looks.get(last + 1)?;
        Some(next.saturating_sub(since))
    }

    /// How long processes had no usable token between two times, all together.
    #[must_use]
    pub fn time_without_token(&self, from: Duration, to: Duration) -> Duration {
        let pairs = self
            .looks
            .windows(2)
            .filter(|pair| pair[0].0 >= from && pair[1].0 <= to);
        pairs
            .map(|pair| (pair[1].0 - pair[0].0).mul_f64(pair[1].1 as f64))
            .sum()
    }
}

/// Counts per second, averaged over each bucket.
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
