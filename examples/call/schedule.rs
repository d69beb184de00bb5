//! When requests start.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::args::Args;

/// Shared by the workers: each takes the next start, so that they pace together.
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

    /// Waits until the next request is to start. `false` if there is none any more.
    ///
    /// A start that is late is not left out: those behind it come as fast as they can.
    pub(crate) async fn next(&self) -> bool {
        let number = self.started.fetch_add(1, Relaxed);
        if self.requests.is_some_and(|requests| number >= requests) {
            return false;
        }
        let due = self.due(number);
        if self.end.is_some_and(|end| due.max(Instant::now()) >= end) {
            return false;
        }
        if self.per_second.is_some() {
            sleep_until(due).await;
        }
        true
    }

    fn due(&self, number: u64) -> Instant {
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
    async fn a_number_of_requests() {
        assert_eq!(starts(&schedule(Some(3), None, None)).await, [0, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_until_the_time_is_over() {
        let paced = schedule(None, Some(1), Some(4.0));
        assert_eq!(starts(&paced).await, [0, 250, 500, 750]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_may_end_it_first() {
        let paced = schedule(Some(2), Some(1), Some(4.0));
        assert_eq!(starts(&paced).await, [0, 250]);
    }

    #[tokio::test(start_paused = true)]
    async fn late_starts_are_made_up_for() {
        let paced = schedule(Some(4), None, Some(10.0));
        assert!(paced.next().await);
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!(starts(&paced).await, [200, 200, 300]);
    }
}
