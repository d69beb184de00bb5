//! The results of the requests so far.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use http::StatusCode;
use indicatif::ProgressBar;

use crate::{
    failure::Failure,
    grpc,
    response::{Response, Status},
};

/// The max latency in the histogram: a minute, in microseconds.
const MAX_LATENCY: u64 = 60_000_000;

pub(crate) struct Results {
    counts: Mutex<Counts>,
    bar: ProgressBar,
}

#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) ok: u64,
    pub(crate) statuses: BTreeMap<StatusCode, u64>,
    pub(crate) grpc_statuses: BTreeMap<&'static str, u64>,
    /// The first response of each status other than success, by the name of the status.
    pub(crate) first_responses: BTreeMap<String, String>,
    /// The kept part of the last HTTP response's body.
    pub(crate) body: Vec<u8>,
    /// The number of failures and the first message, by kind.
    pub(crate) failures: BTreeMap<&'static str, (u64, String)>,
    /// The latency of the requests that have a response, in microseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Results {
    pub(crate) fn new(bar: ProgressBar) -> anyhow::Result<Self> {
        Ok(Self {
            counts: Mutex::new(Counts {
                requests: 0,
                ok: 0,
                statuses: BTreeMap::new(),
                grpc_statuses: BTreeMap::new(),
                first_responses: BTreeMap::new(),
                body: Vec::new(),
                failures: BTreeMap::new(),
                latency: Histogram::new_with_bounds(1, MAX_LATENCY, 3)?,
            }),
            bar,
        })
    }

    pub(crate) fn add(&self, outcome: Result<Response, Failure>, latency: Duration) {
        self.counts().add(outcome, latency);
        self.bar.inc(1);
    }

    /// Removes the progress bar and returns the counts.
    pub(crate) fn finish(&self) -> MutexGuard<'_, Counts> {
        self.bar.finish_and_clear();
        self.counts()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, outcome: Result<Response, Failure>, latency: Duration) {
        self.requests += 1;
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => {
                let (count, _) = self
                    .failures
                    .entry(failure.kind)
                    .or_insert((0, failure.message));
                *count += 1;
                return;
            }
        };
        self.ok += u64::from(response.is_success());
        if !response.is_success() {
            let first = self.first_responses.entry(response.status.to_string());
            first.or_insert_with(|| response.line());
        }
        match response.status {
            Status::Http(status) => {
                *self.statuses.entry(status).or_default() += 1;
                self.body = response.body;
            }
            Status::Grpc(code) => *self.grpc_statuses.entry(grpc::name(code)).or_default() += 1,
        }
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
    }
}
