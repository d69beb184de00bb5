//! The reference: a simple model of the cache, on one thread and without a source.

use std::{ops::RangeInclusive, time::Duration};

use auth_core::{ErrorKind, time::Now};

use super::{
    controlled_source::Answer,
    rules::{Token, attempt, backoff},
};

/// The time after the deadline of a fetch at which the cache abandons it.
const GRACE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Reference {
    pub(super) now: Now,
    pub(super) token: Option<Token>,
    pub(super) fetch: Option<Fetch>,
    pub(super) failure: Option<Failure>,
    pub(super) fetches: u64,
    pub(super) tokens: u64,
    /// The number of calls of the source. A second attempt counts here.
    pub(super) requests: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) number: u64,
    pub(super) deadline: Duration,
    sent: Now,
    second_attempt: bool,
}

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) in_a_row: u32,
    pub(super) backoff: RangeInclusive<Duration>,
    /// Drawn by the cache at random. Known once the cache has stated it.
    pub(super) next_attempt: Option<Duration>,
}

/// The result of a call.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Token(Token),
    Fails(ErrorKind),
    /// The caller waits for the fetch with this number.
    Waits(u64),
}

impl Reference {
    pub(super) fn new(now: Now) -> Self {
        Self {
            now,
            token: None,
            fetch: None,
            failure: None,
            fetches: 0,
            tokens: 0,
            requests: 0,
        }
    }

    /// Returns how long the token remains usable, if there is a usable one.
    pub(super) fn left(&self) -> Option<Duration> {
        self.token.as_ref()?.left(self.now)
    }

    /// Returns the current token, if it is usable.
    pub(super) fn usable(&self) -> Option<Token> {
        self.token
            .clone()
            .filter(|token| token.left(self.now).is_some())
    }

    pub(super) fn backoff_left(&self) -> Duration {
        let next = self
            .failure
            .as_ref()
            .and_then(|failure| failure.next_attempt);
        next.unwrap_or_default().saturating_sub(self.now.monotonic)
    }

    fn is_in_flight(&self) -> bool {
        let abandoned_at = |fetch: &Fetch| fetch.deadline + GRACE;
        self.fetch
            .as_ref()
            .is_some_and(|fetch| self.now.monotonic < abandoned_at(fetch))
    }

    /// Returns whether the waiters of this fetch have abandoned it.
    pub(super) fn is_abandoned(&self, fetch: u64) -> bool {
        fetch != self.fetches || !self.is_in_flight()
    }

    /// A read. `stale`: the cache states that its token is stale.
    pub(super) fn read(&mut self, stale: bool) -> Option<Token> {
        self.left()?;
        if stale && !self.is_in_flight() && self.backoff_left().is_zero() {
            self.start_fetch();
        }
        self.token.clone()
    }

    /// A caller requests a token.
    pub(super) fn ask(&mut self, stale: bool) -> Reply {
        match self.read(stale) {
            Some(token) => Reply::Token(token),
            None => self.join(),
        }
    }

    /// A caller waits that has joined no fetch yet, or whose fetch was abandoned.
    pub(super) fn join(&mut self) -> Reply {
        if let Some(token) = self
            .token
            .clone()
            .filter(|token| token.left(self.now).is_some())
        {
            return Reply::Token(token);
        }
        if !self.is_in_flight() {
            match &self.failure {
                Some(failure) if !self.backoff_left().is_zero() => {
                    return Reply::Fails(failure.kind);
                }
                _ => self.start_fetch(),
            }
        }
        Reply::Waits(self.fetches)
    }

    fn start_fetch(&mut self) {
        self.fetches += 1;
        self.requests += 1;
        self.fetch = Some(Fetch {
            number: self.fetches,
            deadline: self.now.monotonic + attempt(self.left()),
            sent: self.now,
            second_attempt: false,
        });
    }

    /// Ends the fetch whose deadline has passed.
    pub(super) fn time_out(&mut self) -> Option<(u64, Reply)> {
        let fetch = self.fetch.clone()?;
        (self.now.monotonic >= fetch.deadline).then(|| self.fail(&fetch, ErrorKind::Timeout))
    }

    /// Takes in the answer to `fetch`. Returns the result for its waiters.
    pub(super) fn complete(
        &mut self,
        fetch: &Fetch,
        answer: Answer,
        secret: String,
    ) -> Option<(u64, Reply)> {
        let current = self
            .fetch
            .as_ref()
            .is_some_and(|last| last.number == fetch.number);
        let kind = match answer {
            Answer::ExpiresIn(seconds) => {
                let token = Token::new(secret, fetch.sent, self.now, seconds);
                let expired = token.arrived_expired || token.left(self.now).is_none();
                if !expired || self.left() <= token.left(self.now) {
                    self.tokens += 1;
                    if current {
                        self.token = Some(token.clone());
                        (self.fetch, self.failure) = (None, None);
                    }
                    return Some((fetch.number, Reply::Token(token)));
                }
                ErrorKind::InvalidResponse
            }
            Answer::RetryAfter(kind, _) | Answer::Fails(kind) => kind,
            Answer::Panics => ErrorKind::Panicked,
        };
        if kind == ErrorKind::Connection && !fetch.second_attempt {
            self.requests += 1;
            if self.now.monotonic >= fetch.deadline {
                return Some(self.fail(fetch, ErrorKind::Timeout));
            }
            let again = self.fetch.as_mut().unwrap();
            (again.second_attempt, again.sent) = (true, self.now);
            return None;
        }
        Some(self.fail_with(fetch, kind, answer))
    }

    fn fail(&mut self, fetch: &Fetch, kind: ErrorKind) -> (u64, Reply) {
        self.fail_with(fetch, kind, Answer::Fails(kind))
    }

    /// The late failure of an abandoned fetch reaches only its own waiters.
    fn fail_with(&mut self, fetch: &Fetch, kind: ErrorKind, answer: Answer) -> (u64, Reply) {
        if self
            .fetch
            .as_ref()
            .is_some_and(|last| last.number == fetch.number)
        {
            let in_a_row = self.failure.as_ref().map_or(0, |failure| failure.in_a_row) + 1;
            self.fetch = None;
            self.failure = Some(Failure {
                kind,
                in_a_row,
                backoff: backoff(answer, in_a_row, self.left()),
                next_attempt: None,
            });
        }
        (fetch.number, Reply::Fails(kind))
    }
}
