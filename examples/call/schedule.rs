//! The start times of the requests.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::args::Args;

/// The start times, shared by all workers. Each worker takes the next one.
#[derive(Debug)]
pub(crate) struct Schedule {
    start: Instant,
    end: Option<Instant>,
    requests: Option<u64>,
    per_second: Option<f64>,
    started: AtomicU64,
}

impl Schedule {
    pub(crate) fn new(args: &Args, start: Instant) -> Self {
        Self {
            start,
            end: args.duration.and_then(|length| start.checked_add(length)),
            requests: args.requests(),
            per_second: args.rate,
            started: AtomicU64::new(0),
        }
    }

    /// Waits for the start time of the next request. Returns `false` if there is no further request.
    ///
    /// A late request is not skipped: it starts at once, and so do the late ones after it.
    pub(crate) async fn next(&self) -> bool {
        let number = self.started.fetch_add(1, Relaxed);
        if self.requests.is_some_and(|requests| number >= requests) {
            return false;
        }
        let start = self.start_of(number);
        if self.end.is_some_and(|end| start.max(Instant::now()) >= end) {
            return false;
        }
        if self.per_second.is_some() {
            sleep_until(start).await;
        }
        true
    }

    fn start_of(&self, number: u64) -> Instant {
        match self.per_second {
            Some(rate) => self.start + Duration::from_secs_f64(number as f64 / rate),
            None => self.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(requests: Option<u64>, seconds: Option<u64>, rate: Option<f64>) -> Schedule {
        let start = Instant::now();
        Schedule {
            start,
            end: seconds.map(|seconds| start + Duration::from_secs(seconds)),
            requests,
            per_second: rate,
            started: AtomicU64::new(0),
        }
    }

    async fn starts(schedule: &Schedule) -> Vec<u128> {
        let mut starts = Vec::new();
        while schedule.next().await {
            starts.push(schedule.start.elapsed().as_millis());
        }
        starts
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_requests_start_at_once() {
        assert_eq!(starts(&schedule(Some(3), None, None)).await, [0, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_start_at_the_rate_until_the_duration_has_passed() {
        let paced = schedule(None, Some(1), Some(4.0));
        assert_eq!(starts(&paced).await, [0, 250, 500, 750]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_requests_can_end_the_run_before_the_duration() {
        let paced = schedule(Some(2), Some(1), Some(4.0));
        assert_eq!(starts(&paced).await, [0, 250]);
    }

    #[tokio::test(start_paused = true)]
    async fn late_requests_start_at_once() {
        let paced = schedule(Some(4), None, Some(10.0));
        assert!(paced.next().await);
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!(starts(&paced).await, [200, 200, 300]);
    }
}
