//! The report of a run, as text and as JSON.

use std::{fmt, time::Duration};

use http::StatusCode;
use indicatif::HumanCount;
use serde_json::{Map, Value, json};

use crate::{grant::Grant, results::Counts, token_request_count::TokenRequestCount};

pub(crate) struct Report<'a> {
    pub(crate) counts: &'a Counts,
    pub(crate) token_requests: &'a TokenRequestCount,
    pub(crate) replays: u64,
    pub(crate) tokens_from_shared_store: u64,
    pub(crate) shared_store_failures: u64,
    /// The grant of the first tenant's token.
    pub(crate) grant: Option<Grant>,
    pub(crate) elapsed: Duration,
}

impl Report<'_> {
    pub(crate) fn all_succeeded(&self) -> bool {
        self.counts.requests > 0 && self.counts.ok == self.counts.requests
    }

    /// Returns a line for each kind of failure, with the first message.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.counts.failures.iter().map(|(kind, (count, first))| {
            let requests = counted(*count, "request");
            format!("{requests} failed ({kind}): {first}")
        })
    }

    pub(crate) fn json(&self) -> Value {
        let counts = self.counts;
        let statuses = counts.statuses.iter();
        let grpc_statuses = counts.grpc_statuses.iter();
        let failures = counts.failures.iter();
        json!({
            "requests": counts.requests,
            "ok": counts.ok,
            "statuses": object(statuses.map(|(status, n)| (status.as_str(), *n))),
            "grpc_statuses": object(grpc_statuses.map(|(name, n)| (*name, *n))),
            "token_requests": self.token_requests.started(),
            "token_errors": self.token_requests.failed(),
            "replays": self.replays,
            "tokens_from_shared_store": self.tokens_from_shared_store,
            "shared_store_failures": self.shared_store_failures,
            "errors": object(failures.map(|(kind, (n, _))| (*kind, *n))),
            "latency_us": {
                "p50": self.latency(0.50),
                "p99": self.latency(0.99),
                "max": counts.latency.max(),
            },
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn latency(&self, quantile: f64) -> u64 {
        self.counts.latency.value_at_quantile(quantile)
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, u64)>) -> Value {
    let members: Map<_, _> = members
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect();
    members.into()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts;
        writeln!(
            f,
            "requests        {}, {} ok, in {:.1?}",
            HumanCount(counts.requests),
            HumanCount(counts.ok),
            self.elapsed
        )?;
        let statuses = counts.statuses.iter();
        let statuses = statuses.map(|(status, n)| (*n, with_reason(*status)));
        let grpc_statuses = counts.grpc_statuses.iter();
        let grpc_statuses = grpc_statuses.map(|(name, n)| (*n, (*name).to_owned()));
        let responses: Vec<_> = statuses
            .chain(grpc_statuses)
            .map(|(n, status)| format!("{} × {status}", HumanCount(n)))
            .collect();
        if !responses.is_empty() {
            writeln!(f, "responses       {}", responses.join(", "))?;
            let [p50, p99, max] = [self.latency(0.50), self.latency(0.99), counts.latency.max()]
                .map(Duration::from_micros);
            writeln!(
                f,
                "latency         p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}"
            )?;
        }
        for (status, response) in &counts.first_responses {
            writeln!(f, "response {status}: {response}")?;
        }
        if let Some(grant) = &self.grant {
            writeln!(f, "token           {grant}")?;
        }
        write!(
            f,
            "token requests  {}, {} failed",
            HumanCount(self.token_requests.started()),
            HumanCount(self.token_requests.failed())
        )?;
        if self.replays > 0 {
            write!(f, "\nreplays         {}", HumanCount(self.replays))?;
        }
        if self.tokens_from_shared_store > 0 {
            let tokens = counted(self.tokens_from_shared_store, "token");
            write!(f, "\nshared store    {tokens} loaded")?;
        }
        if self.shared_store_failures > 0 {
            let failures = counted(self.shared_store_failures, "failed operation");
            write!(
                f,
                "\nshared store    {failures}; RUST_LOG=warn logs the errors"
            )?;
        }
        Ok(())
    }
}

/// Returns the status with its reason phrase, such as `401 Unauthorized`.
fn with_reason(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}

/// Returns a count with its noun: "1 request", "1,000 requests".
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}
