//! A task refreshes the token. A read is a ready header in an `Arc`, checked for expiry under a lock.

use std::sync::Arc;

use ::middle::{Authorizer, BasicClientCredentialAuthorizer, Error};
use http::HeaderValue;
use url::Url;

use super::Library;
use crate::{
    failing::{Failure, Source},
    loopback,
};

pub struct Middle(BasicClientCredentialAuthorizer);

async fn build(url: Url) -> Result<BasicClientCredentialAuthorizer, Error> {
    BasicClientCredentialAuthorizer::basic_builder("client", "secret", url)
        .build()
        .await
}

impl Library for Middle {
    const NAME: &'static str = "middle";

    type Read = Arc<HeaderValue>;

    async fn ready() -> Self {
        Self(build(loopback::issuing().await).await.unwrap())
    }

    fn reader(&self) -> impl FnMut() -> Arc<HeaderValue> {
        let authorizer = self.0.clone();
        move || authorizer.authorization_header().unwrap()
    }
}

/// The constructor of the authorizer waits for the first token, so there is one caller.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, 1);
    let url = source.serve().await;
    source.asked(|| build(url.clone())).await;
    source
}
