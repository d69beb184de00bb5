//! The waiters of a cache, and the results that they are expected to receive.

use std::{pin::Pin, task::Poll};

use auth_core::{AccessToken, Error, ErrorKind, TokenCache};
use tokio_test::task::{self, Spawn};

use super::reference::{Fetch, Reference, Reply};

type Outcome = Result<AccessToken, Error>;
type TokenFuture = Spawn<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

/// The maximum number of fetches that a waiter joins.
const MAX_FETCHES: usize = 8;

struct Waiter {
    token_future: TokenFuture,
    fetch: u64,
    joined: usize,
}

#[derive(Default)]
pub(super) struct Waiters(Vec<Waiter>);

/// Returns a call of `token` that has not been polled yet.
pub(super) fn token_future(tokens: &TokenCache) -> TokenFuture {
    let tokens = tokens.clone();
    task::spawn(Box::pin(async move { tokens.token().await }))
}

impl Waiters {
    /// Adds a call whose first poll returned `outcome`, if it waits.
    pub(super) fn add(
        &mut self,
        token_future: TokenFuture,
        outcome: Poll<Outcome>,
        expected: &Reply,
    ) {
        self.polled(token_future, outcome, expected, 1);
    }

    fn polled(
        &mut self,
        token_future: TokenFuture,
        outcome: Poll<Outcome>,
        expected: &Reply,
        joined: usize,
    ) {
        match (expected, outcome) {
            (Reply::Waits(fetch), Poll::Pending) => self.0.push(Waiter {
                token_future,
                fetch: *fetch,
                joined,
            }),
            (Reply::Token(token), Poll::Ready(Ok(found))) => {
                assert_eq!(found.secret(), token.secret);
            }
            (Reply::Fails(kind), Poll::Ready(Err(error))) => assert_eq!(error.kind(), *kind),
            (expected, outcome) => panic!("expected {expected:?}, got {outcome:?}"),
        }
    }

    pub(super) fn remove(&mut self, which: usize) {
        if !self.0.is_empty() {
            self.0.remove(which % self.0.len());
        }
    }

    /// Polls every waiter. The waiters of a fetch that obtained a token receive the current token. The waiters
    /// of a fetch that failed receive its error. The waiters of a fetch that was abandoned, or whose token has
    /// expired, join another fetch.
    pub(super) fn poll_all(&mut self, reference: &mut Reference, completed: Option<&(u64, Reply)>) {
        for mut waiter in std::mem::take(&mut self.0) {
            let expected = match completed {
                Some((fetch, outcome)) if *fetch == waiter.fetch => match outcome {
                    Reply::Token(token) => match reference.usable() {
                        // another token, if their fetch was abandoned and the next one was faster
                        Some(current) => Reply::Token(current),
                        None if token.left(reference.now).is_none() => waiter.join_again(reference),
                        None => outcome.clone(),
                    },
                    outcome => outcome.clone(),
                },
                _ if reference.is_abandoned(waiter.fetch) => waiter.join_again(reference),
                _ => Reply::Waits(waiter.fetch),
            };
            let outcome = waiter.token_future.poll();
            self.polled(waiter.token_future, outcome, &expected, waiter.joined);
        }
    }

    /// Asserts that every waiter waits for the fetch in flight.
    pub(super) fn wait_for(&self, fetch: Option<&Fetch>) {
        for waiter in &self.0 {
            assert_eq!(
                fetch.map(|fetch| fetch.number),
                Some(waiter.fetch),
                "waits for"
            );
        }
    }
}

impl Waiter {
    fn join_again(&mut self, reference: &mut Reference) -> Reply {
        if self.joined == MAX_FETCHES {
            return Reply::Fails(ErrorKind::NoRuntime);
        }
        self.joined += 1;
        reference.join()
    }
}
