//! `auth_core`. A read is a ready header, checked for expiry.

use ::auth_core::{
    Authorization, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource,
    async_trait,
};

use super::Library;
use bench_support::Instantly;

use crate::failing::{CALLERS, Failure, Source};

pub struct AuthCore(TokenCache);

impl Library for AuthCore {
    const NAME: &'static str = "auth_core";

    type Read = Authorization;

    async fn ready() -> Self {
        let tokens = TokenCache::new(Instantly);
        tokens.token().await.unwrap();
        Self(tokens)
    }

    fn reader(&self) -> impl FnMut() -> Authorization {
        let tokens = self.0.clone();
        move || tokens.cached().unwrap()
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let kind = match self.fail().await {
            Failure::Denied => ErrorKind::Denied,
            Failure::Unavailable => ErrorKind::Unavailable,
        };
        Err(Error::new(kind, "scripted"))
    }
}

pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let tokens = TokenCache::new(source.clone());
    source
        .asked(|| {
            let tokens = tokens.clone();
            async move { tokens.token().await }
        })
        .await;
    source
}
