//! The three HTTP clients, each with its tokens.

mod hyper;
mod reqwest;
mod tonic;

use std::{sync::Arc, time::Duration};

use auth_core::{
    Authorizer, ClientCredentialsBuilder, HttpTransport, ReplayMethods, SharedTokenStore,
    TokenCache, async_trait,
};
use counting_source::{CountingSource, TokenRequestCount};

use crate::{
    answer::Answer,
    args::{Args, StackName},
    failure::Failure,
    grant::{RequestTime, TimedSource},
    shared,
    target::Target,
    tenants::Tenant,
    tls::Tls,
};

/// How long a connection to the API is kept idle: less than the 5 s that a Node.js server promises. A
/// request that is sent just when the server closes fails, and says nothing about API or tokens.
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// A client that makes the target's request.
#[async_trait]
pub(crate) trait Stack: Send + Sync {
    /// Makes it once, and reads the answer to its end; the whole body is kept if `whole_body`.
    async fn send(&self, whole_body: bool) -> Result<Answer, Failure>;
}

/// One for each tenant, with the same connections.
pub(crate) fn of_tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    credentials: ClientCredentialsBuilder,
    token_requests: &TokenRequestCount,
) -> anyhow::Result<Vec<Tenant>> {
    let tokens = Tokens {
        credentials,
        tenants: args.tenants,
        url: target.url.as_str(),
        replay_methods: match args.no_replay {
            true => ReplayMethods::None,
            false => ReplayMethods::Any,
        },
        token_requests,
        store: shared::store(args)?,
    };
    match args.stack {
        StackName::Hyper => hyper::of_tenants(args, target, tls, tokens),
        StackName::Reqwest => reqwest::of_tenants(args, target, tls, tokens),
        StackName::Tonic => tonic::of_tenants(args, target, tls, tokens),
    }
}

/// The tokens of a stack, as soon as it says how token requests travel.
struct Tokens<'a> {
    credentials: ClientCredentialsBuilder,
    tenants: usize,
    url: &'a str,
    replay_methods: ReplayMethods,
    token_requests: &'a TokenRequestCount,
    store: Option<Arc<dyn SharedTokenStore>>,
}

impl Tokens<'_> {
    /// A client made by `make` for each tenant: they have the credentials in common, and no token.
    fn for_tenants<S: Stack + 'static>(
        self,
        transport: impl HttpTransport,
        make: impl Fn(Authorizer) -> anyhow::Result<S>,
    ) -> anyhow::Result<Vec<Tenant>> {
        let credentials = self.credentials.build(transport)?;
        let source = Arc::new(CountingSource::new(
            credentials,
            self.token_requests.clone(),
        ));
        let tenant = |_| {
            let token_time = RequestTime::default();
            let builder = TokenCache::builder(TimedSource {
                inner: Arc::clone(&source),
                time: token_time.clone(),
            });
            let tokens = match &self.store {
                Some(store) => builder.shared_store(Arc::clone(store)).build(),
                None => builder.build(),
            };
            let authorizer = Authorizer::builder(tokens.clone())
                .origin_of(self.url)
                .replay_methods(self.replay_methods)
                .build()?;
            Ok(Tenant {
                stack: Box::new(make(authorizer)?),
                tokens,
                token_time,
            })
        };
        (0..self.tenants).map(tenant).collect()
    }
}
