//! `auth_core`. The cache keeps a ready header.

use ::auth_core::{
    AccessToken, Authorization, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse,
    TokenSource, async_trait,
};

use super::{Awaited, Library, ready};
use crate::source::{Failure, LIFETIME, Source};

#[derive(Clone)]
pub struct AuthCore(pub TokenCache);

impl Library for AuthCore {
    const NAME: &'static str = "auth_core";

    type Header = Authorization;

    async fn ready() -> Self {
        ready().await
    }

    fn reader(&self) -> impl FnMut() -> Authorization {
        let tokens = self.0.clone();
        move || tokens.cached().unwrap()
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        match self.token().await {
            Ok(token) => Ok(TokenResponse::bearer(token)?.with_expires_in(LIFETIME)),
            Err(Failure::Denied) => Err(Error::new(ErrorKind::Denied, "scripted")),
            Err(Failure::Unavailable) => Err(Error::new(ErrorKind::Unavailable, "scripted")),
        }
    }
}

impl Awaited for AuthCore {
    type Token = AccessToken;
    type Error = Error;

    fn cold(source: Source) -> Self {
        Self(TokenCache::new(source))
    }

    async fn token(self) -> Result<AccessToken, Error> {
        self.0.token().await
    }
}
