//! What each test starts from, and what its threads do.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use auth_core::{Error, TokenCache, block_on};
use loom::thread;

use super::scripted::{Answer, DUE, Hands, Source};

/// A cache, its source and its clock.
pub(crate) struct Setting {
    pub(crate) tokens: TokenCache,
    pub(crate) source: Arc<Source>,
    pub(crate) clock: Hands,
}

impl Setting {
    /// Without a token yet.
    pub(crate) fn cold(answers: &[Answer]) -> Self {
        let clock = Hands::default();
        let source = Arc::new(Source::new(answers));
        let tokens = TokenCache::builder(Arc::clone(&source)).clock(clock.clone());
        Self {
            tokens: tokens.build(),
            source,
            clock,
        }
    }

    /// With a token that is due; the next request is answered by `then`.
    pub(crate) fn due(then: Answer) -> Self {
        let setting = Self::cold(&[Answer::Token, then]);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        setting.clock.advance(DUE);
        setting
    }

    pub(crate) fn requests(&self) -> usize {
        self.source.requests()
    }

    /// Until the flight under way has landed.
    pub(crate) fn settle(&self) {
        while self.tokens.status().requesting {
            thread::yield_now();
        }
    }
}

pub(crate) fn secret(tokens: &TokenCache) -> Result<String, Error> {
    block_on(tokens.token()).map(|token| token.secret().to_owned())
}

/// Runs `work` on another thread with a handle of its own.
pub(crate) fn beside<T: 'static>(
    tokens: &TokenCache,
    work: impl FnOnce(&TokenCache) -> T + 'static,
) -> thread::JoinHandle<T> {
    let tokens = tokens.clone();
    thread::spawn(move || work(&tokens))
}

/// Polls for a token once, and then wants none any more.
pub(crate) fn give_up(tokens: &TokenCache) {
    let waiting = pin!(tokens.token());
    let _ = waiting.poll(&mut Context::from_waker(Waker::noop()));
}
