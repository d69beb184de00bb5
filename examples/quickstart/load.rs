//! Sends many requests at the same time and counts their responses.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fmt,
    time::{Duration, Instant},
};

use auth_core::Authorizer;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use indicatif::HumanCount;
use tonic::Code;

pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) concurrency: usize,
}

/// The status of a response.
pub(crate) struct Response {
    status: String,
    is_success: bool,
}

/// The responses that one client received.
pub(crate) struct Outcome {
    pub(crate) client: &'static str,
    pub(crate) requests: u64,
    /// The number of responses by status.
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) token_requests: u64,
    pub(crate) token_failures: u64,
    pub(crate) elapsed: Duration,
    successes: u64,
    /// The number of requests that were not sent because there was no token.
    pub(crate) not_sent: u64,
    /// The number of requests with a token and without a response.
    pub(crate) no_response: u64,
    /// The first error of a request without a response.
    pub(crate) first_error: Option<String>,
}

impl Load {
    /// Calls `call` once for each request. `authorizer` counts the token requests.
    pub(crate) async fn run(
        &self,
        client: &'static str,
        call: impl AsyncFn() -> anyhow::Result<Response>,
        authorizer: &Authorizer,
    ) -> Outcome {
        let start = Instant::now();
        let mut outcome = Outcome {
            client,
            requests: self.requests,
            statuses: BTreeMap::new(),
            token_requests: 0,
            token_failures: 0,
            elapsed: Duration::ZERO,
            successes: 0,
            not_sent: 0,
            no_response: 0,
            first_error: None,
        };
        let mut responses = stream::iter(0..self.requests)
            .map(|_| call())
            .buffer_unordered(self.concurrency);
        while let Some(response) = responses.next().await {
            outcome.add(response);
        }
        outcome.elapsed = start.elapsed();
        if let Some(tokens) = authorizer.tokens() {
            let status = tokens.status();
            let finished = status.token_requests - u64::from(status.in_flight);
            outcome.token_requests = status.token_requests;
            outcome.token_failures = finished.saturating_sub(status.tokens_received);
        }
        outcome
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.requests {
            1 => f.write_str("Each client sends 1 request."),
            requests => write!(
                f,
                "Each client sends {} requests, of which {} are in flight at the same time.",
                HumanCount(requests),
                self.concurrency
                    .min(usize::try_from(requests).unwrap_or(usize::MAX))
            ),
        }
    }
}

impl Outcome {
    pub(crate) fn all_succeeded(&self) -> bool {
        self.successes == self.requests
    }

    fn add(&mut self, response: anyhow::Result<Response>) {
        match response {
            Ok(response) => {
                self.successes += u64::from(response.is_success);
                *self.statuses.entry(response.status).or_default() += 1;
            }
            Err(error) => {
                match error.chain().any(<dyn StdError>::is::<auth_core::Error>) {
                    true => self.not_sent += 1,
                    false => self.no_response += 1,
                }
                self.first_error.get_or_insert(format!("{error:#}"));
            }
        }
    }
}

impl From<StatusCode> for Response {
    fn from(status: StatusCode) -> Self {
        Self {
            status: status.as_str().to_owned(),
            is_success: status.is_success(),
        }
    }
}

impl From<Code> for Response {
    fn from(code: Code) -> Self {
        Self {
            status: match code {
                Code::Ok => "OK".to_owned(),
                code => format!("{code:?}"),
            },
            is_success: code == Code::Ok,
        }
    }
}
