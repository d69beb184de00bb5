//! A task refreshes the token. It hands out a ready header in an `Arc`, checked for expiry under a lock.

use std::sync::Arc;

use ::middle::{Authorizer, BasicClientCredentialAuthorizer, Error};
use http::HeaderValue;
use url::Url;

use super::{Lends, Library};
use crate::source::{Failure, Source};

pub struct Middle(BasicClientCredentialAuthorizer);

async fn build(url: Url) -> Result<BasicClientCredentialAuthorizer, Error> {
    BasicClientCredentialAuthorizer::basic_builder("client", "secret", url)
        .build()
        .await
}

impl Middle {
    pub fn authorizer(&self) -> BasicClientCredentialAuthorizer {
        self.0.clone()
    }
}

impl Library for Middle {
    const NAME: &'static str = "middle";

    type Header = HeaderValue;

    async fn ready() -> Self {
        Self(build(Source::issuing().serve()).await.unwrap())
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let authorizer = self.0.clone();
        // as its own client does
        move || Arc::unwrap_or_clone(authorizer.authorization_header().unwrap())
    }
}

impl Lends for Middle {
    const NAME: &'static str = "middle_lent";

    type Loan = Arc<HeaderValue>;

    fn lender(&self) -> impl FnMut() -> Arc<HeaderValue> {
        let authorizer = self.0.clone();
        move || authorizer.authorization_header().unwrap()
    }
}

/// The constructor of the authorizer waits for the first token, so there is one caller.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::failing(failure, 1);
    let url = source.serve();
    source.ask(|| build(url.clone())).await;
    source
}
