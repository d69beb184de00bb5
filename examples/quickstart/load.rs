//! Many requests at the same time, and what came of them.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use http::StatusCode;
use tonic::Code;

use counting_source::TokenRequestCount;

pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) at_a_time: usize,
}

/// How the API answered.
pub(crate) struct Answer {
    status: String,
    is_success: bool,
}

/// What came of the requests through one stack.
pub(crate) struct Outcome {
    pub(crate) stack: &'static str,
    pub(crate) requests: u64,
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) token_requests: u64,
    pub(crate) token_errors: u64,
    pub(crate) elapsed: Duration,
    /// Answered as they should be.
    ok: u64,
    /// Not sent, for want of a token.
    pub(crate) unsent: u64,
    /// Sent, or at least tried.
    pub(crate) unanswered: u64,
    /// Why the first of those was not answered.
    pub(crate) first_error: Option<String>,
}

impl Load {
    pub(crate) async fn run(
        &self,
        stack: &'static str,
        call: impl AsyncFn() -> anyhow::Result<Answer>,
        count: &TokenRequestCount,
    ) -> Outcome {
        let start = Instant::now();
        let mut outcome = Outcome {
            stack,
            requests: self.requests,
            statuses: BTreeMap::new(),
            token_requests: 0,
            token_errors: 0,
            elapsed: Duration::ZERO,
            ok: 0,
            unsent: 0,
            unanswered: 0,
            first_error: None,
        };
        let mut answers = stream::iter(0..self.requests)
            .map(|_| call())
            .buffer_unordered(self.at_a_time);
        while let Some(answer) = answers.next().await {
            outcome.add(answer);
        }
        outcome.elapsed = start.elapsed();
        outcome.token_requests = count.requests();
        outcome.token_errors = count.errors();
        outcome
    }
}

impl Outcome {
    pub(crate) fn all_succeeded(&self) -> bool {
        self.ok == self.requests
    }

    fn add(&mut self, answer: anyhow::Result<Answer>) {
        match answer {
            Ok(answer) => {
                self.ok += u64::from(answer.is_success);
                *self.statuses.entry(answer.status).or_default() += 1;
            }
            Err(error) => {
                match error.chain().any(<dyn StdError>::is::<auth_core::Error>) {
                    true => self.unsent += 1,
                    false => self.unanswered += 1,
                }
                self.first_error.get_or_insert(format!("{error:#}"));
            }
        }
    }
}

impl From<StatusCode> for Answer {
    fn from(status: StatusCode) -> Self {
        Self {
            status: status.as_str().to_owned(),
            is_success: status.is_success(),
        }
    }
}

impl From<Code> for Answer {
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
