//! The three HTTP clients with their tokens.

mod hyper;
mod reqwest;
mod tonic;

use std::{sync::Arc, time::Duration};

use crate::{
    args::{Args, StackName},
    credentials::Credentials,
    failure::Failure,
    grant::{RequestTime, TimedSource},
    response::Response,
    shared_store,
    target::Target,
    tenants::Tenant,
    tls::Tls,
    token_request_count::{CountingSource, TokenRequestCount},
};
use auth_core::{
    Authorizer, HttpTransport, ReplayMethods, TokenCache, async_trait,
    shared_store::SharedTokenStore,
};

/// The max time that an idle connection is kept. A Node.js server closes an idle connection after 5 s,
/// and a request that is sent at that moment fails.
const MAX_IDLE: Duration = Duration::from_secs(4);

/// A client that sends the target's request.
#[async_trait]
pub(crate) trait Stack: Send + Sync {
    /// Sends the request once and reads the response to its end. Keeps the whole body if `whole_body`.
    async fn send(&self, whole_body: bool) -> Result<Response, Failure>;
}

/// Creates the tenants. They share the connections.
pub(crate) fn tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    credentials: Credentials,
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
        store: shared_store::shared_store(args)?,
    };
    match args.stack {
        StackName::Hyper => hyper::tenants(args, target, tls, tokens),
        StackName::Reqwest => reqwest::tenants(args, target, tls, tokens),
        StackName::Tonic => tonic::tenants(args, target, tls, tokens),
    }
}

/// The settings of the tokens. A stack adds the transport of the token requests.
struct Tokens<'a> {
    credentials: Credentials,
    tenants: usize,
    url: &'a str,
    replay_methods: ReplayMethods,
    token_requests: &'a TokenRequestCount,
    store: Option<Arc<dyn SharedTokenStore>>,
}

impl Tokens<'_> {
    /// Creates a client with `make` for each tenant. The tenants share the credentials and no token.
    fn for_tenants<S: Stack + 'static>(
        self,
        transport: impl HttpTransport,
        make: impl Fn(Authorizer) -> anyhow::Result<S>,
    ) -> anyhow::Result<Vec<Tenant>> {
        let credentials = self.credentials.source(transport)?;
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
