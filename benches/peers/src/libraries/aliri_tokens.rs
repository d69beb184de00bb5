//! A task refreshes the token, and readers borrow it under a lock. The borrow is not checked for
//! expiry. `token_status()` checks it, so there is a read with it and one without it.

use std::{fmt, hint::black_box};

use ::aliri_tokens::{
    AccessToken, TokenLifetimeConfig, TokenStatus, TokenWatcher, TokenWithLifetime,
    backoff::ErrorBackoffConfig,
    jitter::RandomEarlyJitter,
    sources::{AsyncTokenSource, ConstTokenSource},
};
use aliri_clock::DurationSecs;
use async_trait::async_trait;

use super::{LIFETIME, Library};
use crate::failing::{Failure, Source};

/// A read borrows the token and does not check its expiry.
pub struct Unchecked(TokenWatcher);

/// A read borrows the token and checks its expiry.
pub struct Checked(TokenWatcher);

async fn watch<S: AsyncTokenSource + 'static>(source: S) -> Result<TokenWatcher, S::Error> {
    let jitter = RandomEarlyJitter::new(DurationSecs(60));
    TokenWatcher::spawn_from_token_source(source, jitter, ErrorBackoffConfig::default()).await
}

async fn ready() -> TokenWatcher {
    let source = ConstTokenSource::new(AccessToken::from(bench_support::token()))
        .with_lifetime_config(TokenLifetimeConfig::default())
        .with_token_valid_for(DurationSecs(LIFETIME.as_secs()));
    watch(source).await.unwrap()
}

impl Library for Unchecked {
    const NAME: &'static str = "aliri_tokens_unchecked";

    type Read = usize;

    async fn ready() -> Self {
        Self(ready().await)
    }

    fn reader(&self) -> impl FnMut() -> usize {
        let watcher = self.0.clone();
        move || black_box(watcher.token().access_token().as_str()).len()
    }
}

impl Library for Checked {
    const NAME: &'static str = "aliri_tokens";

    type Read = usize;

    async fn ready() -> Self {
        Self(ready().await)
    }

    fn reader(&self) -> impl FnMut() -> usize {
        let watcher = self.0.clone();
        move || {
            let token = watcher.token();
            assert!(!matches!(token.token_status(), TokenStatus::Expired));
            black_box(token.access_token().as_str()).len()
        }
    }
}

#[derive(Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

impl std::error::Error for Failed {}

#[async_trait]
impl AsyncTokenSource for Source {
    type Error = Failed;

    async fn request_token(&mut self) -> Result<TokenWithLifetime, Failed> {
        self.fail().await;
        Err(Failed)
    }
}

/// The constructor of the watcher waits for the first token, so there is one caller.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, 1);
    source.asked(|| watch(source.clone())).await;
    source
}
