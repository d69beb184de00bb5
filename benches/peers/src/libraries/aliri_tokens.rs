//! A task refreshes the token, and readers borrow it under a lock. The borrow is not checked for
//! expiry; `token_status()` checks it.

use std::{fmt, hint::black_box};

use ::aliri_tokens::{
    AccessToken, IdToken, TokenLifetimeConfig, TokenStatus, TokenWatcher, TokenWithLifetime,
    backoff::ErrorBackoffConfig, jitter::RandomEarlyJitter, sources::AsyncTokenSource,
};
use aliri_clock::{DurationSecs, System};
use async_trait::async_trait;
use http::HeaderValue;

use super::{Lends, Library, header};
use crate::source::{Failure, LIFETIME, Source};

pub struct AliriTokens(TokenWatcher);

async fn watch(source: Source) -> Result<TokenWatcher, Failed> {
    let jitter = RandomEarlyJitter::new(DurationSecs(60));
    TokenWatcher::spawn_from_token_source(source, jitter, ErrorBackoffConfig::default()).await
}

impl AliriTokens {
    pub fn watcher(&self) -> TokenWatcher {
        self.0.clone()
    }
}

impl Library for AliriTokens {
    const NAME: &'static str = "aliri_tokens";

    type Header = HeaderValue;

    async fn ready() -> Self {
        Self(watch(Source::issuing()).await.unwrap())
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let watcher = self.0.clone();
        move || {
            let token = watcher.token();
            assert!(!matches!(token.token_status(), TokenStatus::Expired));
            header(token.access_token().as_str())
        }
    }
}

impl Lends for AliriTokens {
    const NAME: &'static str = "aliri_tokens_lent";

    type Loan = usize;

    fn lender(&self) -> impl FnMut() -> usize {
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
        let token = self.token().await.map_err(|_| Failed)?;
        let lifetime = DurationSecs(LIFETIME.as_secs());
        let config = TokenLifetimeConfig::<System>::default();
        Ok(config.create_token(AccessToken::from(token), None::<IdToken>, lifetime))
    }
}

/// The constructor of the watcher waits for the first token, so there is one caller.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::failing(failure, 1);
    source.ask(|| watch(source.clone())).await;
    source
}
