//! The lazy identity cache. Its timeout is set, so that a read need not compute one. It hands out an
//! `Identity`, a handle to the token.

use std::time::SystemTime;

use ::aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_async::{rt::sleep::TokioSleep, time::SystemTimeSource};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        identity::{
            Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
            SharedIdentityResolver, http::Token,
        },
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use bench_support::ready_now;
use http::HeaderValue;
use tokio::runtime::Handle;

use super::{Awaited, Lends, Library, header, ready};
use crate::source::{LIFETIME, Source};

#[derive(Clone)]
pub struct AwsSmithyRuntime {
    cache: SharedIdentityCache,
    components: RuntimeComponents,
    resolver: SharedIdentityResolver,
    /// A read creates a timer, which needs a runtime.
    runtime: Handle,
}

impl AwsSmithyRuntime {
    fn resolve<'a>(&'a self, config: &'a ConfigBag) -> IdentityFuture<'a> {
        self.cache
            .resolve_cached_identity(self.resolver.clone(), &self.components, config)
    }
}

impl Library for AwsSmithyRuntime {
    const NAME: &'static str = "aws_smithy_runtime";

    type Header = HeaderValue;

    async fn ready() -> Self {
        ready().await
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let mut lend = self.lender();
        move || header(lend().data::<Token>().unwrap().token())
    }
}

impl Lends for AwsSmithyRuntime {
    const NAME: &'static str = "aws_smithy_runtime_lent";

    type Loan = Identity;

    fn lender(&self) -> impl FnMut() -> Identity {
        let in_runtime = self.runtime.enter();
        let (aws, config) = (self.clone(), ConfigBag::base());
        move || {
            let _ = &in_runtime;
            ready_now(aws.resolve(&config)).unwrap()
        }
    }
}

impl ResolveIdentity for Source {
    fn resolve_identity<'a>(
        &'a self,
        _components: &'a RuntimeComponents,
        _config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async {
            let token = self.token().await.map_err(|_| "scripted")?;
            let end = Some(SystemTime::now() + LIFETIME);
            Ok(Identity::new(Token::new(token, end), end))
        })
    }
}

impl Awaited for AwsSmithyRuntime {
    type Token = Identity;
    type Error = BoxError;

    fn cold(source: Source) -> Self {
        // a generated client would also set endpoints and an HTTP client
        let components = RuntimeComponentsBuilder::for_tests()
            .with_sleep_impl(Some(TokioSleep::new()))
            .with_time_source(Some(SystemTimeSource::new()))
            .build();
        Self {
            cache: IdentityCache::lazy().load_timeout(LIFETIME).build(),
            components: components.unwrap(),
            resolver: SharedIdentityResolver::new(source),
            runtime: Handle::current(),
        }
    }

    async fn token(self) -> Result<Identity, BoxError> {
        self.resolve(&ConfigBag::base()).await
    }
}
