//! Runs a cache and its reference side by side: each step is applied to both, and after each step their
//! states are compared.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{CacheStatus, TokenCache, time::Clock};
use auth_test_support::settle;
use auth_testing::ManualClock;

use super::{
    controlled_source::{Answer, ControlledSource, Instruction},
    reference::{Reference, Reply},
    waiters::{Waiters, token_future},
};
use crate::cache::cache;

pub(super) struct Simulation {
    clock: ManualClock,
    source: ControlledSource,
    pub(super) handles: Vec<TokenCache>,
    waiters: Waiters,
    pub(super) reference: Reference,
    issued: usize,
}

impl Simulation {
    pub(super) fn new() -> Self {
        let (clock, source) = (ManualClock::new(), ControlledSource::default());
        Self {
            handles: vec![cache(&source, clock.clone())],
            reference: Reference::new(clock.now()),
            waiters: Waiters::default(),
            clock,
            source,
            issued: 0,
        }
    }

    fn tokens(&self) -> &TokenCache {
        self.handles.last().unwrap()
    }

    fn status(&self) -> CacheStatus {
        self.tokens().status()
    }

    /// Advances the time on a machine that keeps up: each sleeping task wakes in time.
    pub(super) async fn advance(&mut self, by: Duration) {
        let end = self.reference.now.monotonic + by;
        while self.reference.now.monotonic < end {
            let next = self.clock.next_deadline().unwrap_or(end).min(end);
            self.clock.advance(next - self.reference.now.monotonic);
            self.reference.now = self.clock.now();
            self.catch_up(None).await;
        }
    }

    /// Advances the time on a machine that does not keep up: the waiters are polled before the task.
    pub(super) async fn stall(&mut self, by: Duration) {
        self.clock.advance(by);
        self.moved();
        self.waiters.poll_all(&mut self.reference, None);
        self.catch_up(None).await;
    }

    /// Suspends the machine, or sets its wall clock forward.
    pub(super) async fn suspend(&mut self, by: Duration) {
        self.clock.suspend(by);
        self.moved();
        self.catch_up(None).await;
    }

    pub(super) async fn set_back(&mut self, by: Duration) {
        self.clock
            .set_wall(self.reference.now.wall.saturating_sub(by));
        self.moved();
        self.catch_up(None).await;
    }

    fn moved(&mut self) {
        self.reference.now = self.clock.now();
        self.reference.learn(&self.status());
    }

    pub(super) async fn read(&mut self) {
        let expected = self.reference.read(self.status().stale);
        let found = self.tokens().cached();
        let header = found.as_ref().map(|found| found.header().to_str().unwrap());
        let secret = header.map(|header| header.strip_prefix("Bearer ").unwrap());
        assert_eq!(
            secret,
            expected.as_ref().map(|token| token.secret.as_str()),
            "a read"
        );
        self.catch_up(None).await;
    }

    pub(super) async fn wait(&mut self) {
        let expected = self.reference.ask(self.status().stale);
        let mut token_future = token_future(self.tokens());
        let outcome = token_future.poll();
        self.waiters.add(token_future, outcome, &expected);
        self.catch_up(None).await;
    }

    pub(super) async fn drop_waiter(&mut self, which: usize) {
        self.waiters.remove(which);
        self.catch_up(None).await;
    }

    /// Answers the token request in flight, if there is one.
    pub(super) async fn answer(&mut self, answer: Answer) {
        self.blocks_then_answers(Duration::ZERO, false, answer)
            .await;
    }

    /// Blocks the thread of the source for `after`. Then a caller on another thread requests a token, and
    /// then the source answers.
    pub(super) async fn answer_late(&mut self, after: Duration, answer: Answer) {
        self.blocks_then_answers(after, true, answer).await;
    }

    async fn blocks_then_answers(&mut self, after: Duration, caller_asks: bool, answer: Answer) {
        let Some(fetch) = self.reference.fetch.clone() else {
            return self.catch_up(None).await;
        };
        self.issued += 1;
        let token = format!("t{}", self.issued);
        let polled_caller = Arc::new(Mutex::new(None));
        let meanwhile = {
            let (clock, tokens, polled_caller) = (
                self.clock.clone(),
                self.tokens().clone(),
                polled_caller.clone(),
            );
            move || {
                clock.advance(after);
                if caller_asks {
                    let status = tokens.status();
                    let mut caller_future = token_future(&tokens);
                    let outcome = caller_future.poll();
                    *polled_caller.lock().unwrap() = Some((status, caller_future, outcome));
                }
            }
        };
        self.source.answer(Instruction {
            answer,
            token: token.clone(),
            meanwhile: Box::new(meanwhile),
        });
        settle().await;
        self.reference.now = self.clock.now();
        let polled_caller = polled_caller.lock().unwrap().take();
        if let Some((status, caller_future, outcome)) = polled_caller {
            self.reference.learn(&status);
            let expected = self.reference.ask(status.stale);
            self.waiters.add(caller_future, outcome, &expected);
        }
        let completed = self.reference.complete(&fetch, answer, token);
        self.catch_up(completed).await;
    }

    pub(super) async fn clear_backoff(&mut self) {
        self.tokens().clear_backoff();
        self.reference.failure = None;
        self.catch_up(None).await;
    }

    /// Drops all handles and waiters, which ends the task, and builds another cache.
    pub(super) async fn rebuild(&mut self) {
        self.waiters = Waiters::default();
        self.handles.clear();
        settle().await;
        assert_eq!(self.source.in_flight(), 0, "token requests without a cache");
        let metrics = tokio::runtime::Handle::current().metrics();
        assert_eq!(metrics.num_alive_tasks(), 0);
        self.source = ControlledSource::default();
        self.handles.push(cache(&self.source, self.clock.clone()));
        self.reference = Reference::new(self.clock.now());
        self.catch_up(None).await;
    }

    /// Runs every task that is ready, and compares the cache with the reference.
    pub(super) async fn catch_up(&mut self, completed: Option<(u64, Reply)>) {
        settle().await;
        let completed = completed.or_else(|| self.reference.time_out());
        self.reference.learn(&self.status());
        self.waiters
            .poll_all(&mut self.reference, completed.as_ref());
        settle().await;
        self.reference.agrees(&self.status());
        assert_eq!(self.source.requests(), self.reference.requests, "requests");
        let in_flight = usize::from(self.reference.fetch.is_some());
        assert_eq!(self.source.in_flight(), in_flight, "requests in flight");
        self.waiters.wait_for(self.reference.fetch.as_ref());
    }
}
