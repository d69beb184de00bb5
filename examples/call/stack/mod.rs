//! The three HTTP clients, each with its tokens.

mod hyper;
mod reqwest;
mod tonic;

use std::sync::Arc;

use auth_core::{Authorizer, ClientCredentialsBuilder, HttpTransport, TokenCache, async_trait};

use self::{hyper::HyperStack, reqwest::ReqwestStack, tonic::TonicStack};
use crate::{
    args::StackName,
    counting_source::{CountingSource, TokenRequestCount},
    failure::Failure,
    tally::Answer,
    target::Target,
    tls::Tls,
};

/// A client that makes the target's request.
#[async_trait]
pub(crate) trait Stack: Send + Sync {
    /// Makes it once, and reads the answer to its end.
    async fn send(&self) -> Result<Answer, Failure>;
}

pub(crate) fn new(
    name: StackName,
    target: &Target,
    tls: &Tls,
    credentials: ClientCredentialsBuilder,
    token_requests: &TokenRequestCount,
) -> anyhow::Result<Arc<dyn Stack>> {
    let tokens = Tokens {
        credentials,
        url: target.url.as_str(),
        token_requests,
    };
    Ok(match name {
        StackName::Hyper => Arc::new(HyperStack::new(target, tls, tokens)?),
        StackName::Reqwest => Arc::new(ReqwestStack::new(target, tls, tokens)?),
        StackName::Tonic => Arc::new(TonicStack::new(target, tls, tokens)?),
    })
}

/// The tokens of a stack, as soon as it says how token requests travel.
struct Tokens<'a> {
    credentials: ClientCredentialsBuilder,
    url: &'a str,
    token_requests: &'a TokenRequestCount,
}

impl Tokens<'_> {
    fn over(self, transport: impl HttpTransport) -> Result<Authorizer, auth_core::Error> {
        let source = CountingSource::new(
            self.credentials.build(transport)?,
            self.token_requests.clone(),
        );
        Authorizer::builder(TokenCache::new(source))
            .origin_of(self.url)
            .build()
    }
}
