//! The three HTTP clients, each with its tokens.

mod hyper;
mod reqwest;
mod tonic;

use std::{sync::Arc, time::Duration};

use auth_core::{Authorizer, ClientCredentialsBuilder, HttpTransport, TokenCache, async_trait};

use self::{hyper::HyperStack, reqwest::ReqwestStack, tonic::TonicStack};
use crate::{
    answer::Answer,
    args::StackName,
    counting_source::{CountingSource, TokenRequestCount},
    failure::Failure,
    grant::{RequestTime, TimedSource},
    target::Target,
    tls::Tls,
};

/// How long a connection to the API is kept idle: less than the 5 s that a Node.js server promises. A
/// request that is sent just when the server closes fails, and says nothing about API or tokens.
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// A client that makes the target's request.
#[async_trait]
pub(crate) trait Stack: Send + Sync {
    /// Those that its requests carry.
    fn tokens(&self) -> &TokenCache;

    /// Makes it once, and reads the answer to its end; the whole body is kept if `whole_body`.
    async fn send(&self, whole_body: bool) -> Result<Answer, Failure>;
}

pub(crate) fn new(
    name: StackName,
    target: &Target,
    tls: &Tls,
    credentials: ClientCredentialsBuilder,
    token_requests: &TokenRequestCount,
    token_time: &RequestTime,
) -> anyhow::Result<Arc<dyn Stack>> {
    let tokens = Tokens {
        credentials,
        url: target.url.as_str(),
        token_requests,
        token_time,
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
    token_time: &'a RequestTime,
}

impl Tokens<'_> {
    fn over(self, transport: impl HttpTransport) -> Result<Authorizer, auth_core::Error> {
        let source = CountingSource::new(
            self.credentials.build(transport)?,
            self.token_requests.clone(),
        );
        let source = TimedSource {
            inner: source,
            time: self.token_time.clone(),
        };
        Authorizer::builder(TokenCache::new(source))
            .origin_of(self.url)
            .build()
    }
}
