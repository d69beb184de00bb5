//! The initial state of each test, and the operations of its threads.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use auth_core::{Error, TokenCache, block_on};
use loom::thread;

use super::scripted::{Answer, ManualClock, STALE, Source};

/// A cache, its source and its clock.
pub(crate) struct Setting {
    pub(crate) tokens: TokenCache,
    pub(crate) source: Arc<Source>,
    pub(crate) clock: ManualClock,
}

impl Setting {
    /// A cache without a token.
    pub(crate) fn cold(answers: &[Answer]) -> Self {
        let clock = ManualClock::default();
        let source = Arc::new(Source::new(answers));
        let tokens = TokenCache::builder(Arc::clone(&source)).clock(clock.clone());
        Self {
            tokens: tokens.build(),
            source,
            clock,
        }
    }

    /// A cache with a stale token. `then` answers the next request.
    pub(crate) fn stale(then: Answer) -> Self {
        let setting = Self::cold(&[Answer::Token, then]);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        setting.clock.advance(STALE);
        setting
    }

    pub(crate) fn requests(&self) -> usize {
        self.source.requests()
    }

    /// Waits until no fetch is in flight.
    pub(crate) fn settle(&self) {
        while self.tokens.status().in_flight {
            thread::yield_now();
        }
    }
}

pub(crate) fn secret(tokens: &TokenCache) -> Result<String, Error> {
    block_on(tokens.token()).map(|token| token.secret().to_owned())
}

/// Runs `work` on another thread, with another handle.
pub(crate) fn beside<T: 'static>(
    tokens: &TokenCache,
    work: impl FnOnce(&TokenCache) -> T + 'static,
) -> thread::JoinHandle<T> {
    let tokens = tokens.clone();
    thread::spawn(move || work(&tokens))
}

/// Polls for a token once, and drops the future.
pub(crate) fn give_up(tokens: &TokenCache) {
    let waiting = pin!(tokens.token());
    let _ = waiting.poll(&mut Context::from_waker(Waker::noop()));
}
