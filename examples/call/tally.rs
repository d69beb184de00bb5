//! What came of the requests so far.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use http::StatusCode;
use indicatif::ProgressBar;

use crate::{
    answer::{Answer, Status},
    failure::Failure,
    grpc,
};

/// The longest latency that is told apart, in microseconds: a minute.
const LONGEST_LATENCY: u64 = 60_000_000;

pub(crate) struct Tally {
    counts: Mutex<Counts>,
    bar: ProgressBar,
}

#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) ok: u64,
    pub(crate) statuses: BTreeMap<StatusCode, u64>,
    pub(crate) grpc_statuses: BTreeMap<&'static str, u64>,
    /// The first answer of each status that is no success, by its name.
    pub(crate) refusals: BTreeMap<String, String>,
    /// The body of the last answer over HTTP, as much as is kept of it.
    pub(crate) body: Vec<u8>,
    /// By kind: how many, and what the first one said.
    pub(crate) failures: BTreeMap<&'static str, (u64, String)>,
    /// Of the requests that were answered, in microseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new(bar: ProgressBar) -> anyhow::Result<Self> {
        Ok(Self {
            counts: Mutex::new(Counts {
                requests: 0,
                ok: 0,
                statuses: BTreeMap::new(),
                grpc_statuses: BTreeMap::new(),
                refusals: BTreeMap::new(),
                body: Vec::new(),
                failures: BTreeMap::new(),
                latency: Histogram::new_with_bounds(1, LONGEST_LATENCY, 3)?,
            }),
            bar,
        })
    }

    pub(crate) fn add(&self, outcome: Result<Answer, Failure>, latency: Duration) {
        self.counts().add(outcome, latency);
        self.bar.inc(1);
    }

    /// Takes the progress bar away; what came of them all.
    pub(crate) fn finish(&self) -> MutexGuard<'_, Counts> {
        self.bar.finish_and_clear();
        self.counts()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, outcome: Result<Answer, Failure>, latency: Duration) {
        self.requests += 1;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => {
                let (count, _) = self
                    .failures
                    .entry(failure.kind)
                    .or_insert((0, failure.message));
                *count += 1;
                return;
            }
        };
        self.ok += u64::from(answer.is_success());
        if !answer.is_success() {
            let first = self.refusals.entry(answer.status.to_string());
            first.or_insert_with(|| answer.line());
        }
        match answer.status {
            Status::Http(status) => {
                *self.statuses.entry(status).or_default() += 1;
                self.body = answer.body;
            }
            Status::Grpc(code) => *self.grpc_statuses.entry(grpc::name(code)).or_default() += 1,
        }
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
    }
}
