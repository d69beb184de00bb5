//! The result, for people and for programs.

use std::{fmt, time::Duration};

use counting_source::TokenRequestCount;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{grant::Grant, tally::Counts};

pub(crate) struct Report<'a> {
    pub(crate) counts: &'a Counts,
    pub(crate) token_requests: &'a TokenRequestCount,
    /// Requests that were sent a second time.
    pub(crate) replays: u64,
    /// Tokens that other processes had asked for.
    pub(crate) shared_tokens: u64,
    pub(crate) store_failures: u64,
    /// The first tenant's.
    pub(crate) grant: Option<Grant>,
    pub(crate) elapsed: Duration,
}

impl Report<'_> {
    pub(crate) fn all_succeeded(&self) -> bool {
        self.counts.requests > 0 && self.counts.ok == self.counts.requests
    }

    /// A line for each kind of failure, with what the first of them said.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.counts
            .failures
            .iter()
            .map(|(kind, (count, first))| format!("{count} × {kind}: {first}"))
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
            "token_requests": self.token_requests.requests(),
            "token_errors": self.token_requests.errors(),
            "replays": self.replays,
            "shared_tokens": self.shared_tokens,
            "store_failures": self.store_failures,
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
            counts.requests, counts.ok, self.elapsed
        )?;
        let statuses = counts.statuses.iter();
        let statuses = statuses.map(|(status, n)| format!("{n} × {}", meaning(*status)));
        let grpc_statuses = counts.grpc_statuses.iter();
        let grpc_statuses = grpc_statuses.map(|(name, n)| format!("{n} × {name}"));
        let answers: Vec<_> = statuses.chain(grpc_statuses).collect();
        if !answers.is_empty() {
            writeln!(f, "statuses        {}", answers.join(", "))?;
            let [p50, p99, max] = [self.latency(0.50), self.latency(0.99), counts.latency.max()]
                .map(Duration::from_micros);
            writeln!(
                f,
                "latency         p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}"
            )?;
        }
        for (status, answer) in &counts.refusals {
            writeln!(f, "answer {status}: {answer}")?;
        }
        if let Some(grant) = &self.grant {
            writeln!(f, "token           {grant}")?;
        }
        write!(
            f,
            "token requests  {}, {} failed",
            self.token_requests.requests(),
            self.token_requests.errors()
        )?;
        if self.replays > 0 {
            write!(f, "\nreplays         {}", self.replays)?;
        }
        if self.shared_tokens > 0 {
            write!(f, "\nshared tokens   {}", self.shared_tokens)?;
        }
        if self.store_failures > 0 {
            let failures = self.store_failures;
            write!(f, "\nstore failures  {failures}; RUST_LOG=warn tells why")?;
        }
        Ok(())
    }
}

/// The number and, where there is one, the name: `401 Unauthorized`.
fn meaning(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}
