//! The lazy identity cache. Its timeout is set, so that a read need not compute one. A read is an
//! `Identity`, a handle to the token, checked for expiry.

use std::time::SystemTime;

use ::aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_async::{rt::sleep::TokioSleep, time::SystemTimeSource};
use aws_smithy_runtime_api::client::{
    identity::{
        Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
        SharedIdentityResolver, http::Token,
    },
    runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
};
use aws_smithy_types::config_bag::ConfigBag;
use tokio::runtime::Handle;

use super::{LIFETIME, Library};
use bench_support::ready_now;

use crate::failing::{CALLERS, Failure, Source};

#[derive(Clone)]
pub struct AwsSmithyRuntime {
    cache: SharedIdentityCache,
    components: RuntimeComponents,
    resolver: SharedIdentityResolver,
    /// A read creates a timer, which needs a runtime.
    runtime: Handle,
}

impl AwsSmithyRuntime {
    fn new(resolver: impl ResolveIdentity + 'static) -> Self {
        // a generated client would also set endpoints and an HTTP client
        let components = RuntimeComponentsBuilder::for_tests()
            .with_sleep_impl(Some(TokioSleep::new()))
            .with_time_source(Some(SystemTimeSource::new()))
            .build();
        Self {
            cache: IdentityCache::lazy().load_timeout(LIFETIME).build(),
            components: components.unwrap(),
            resolver: SharedIdentityResolver::new(resolver),
            runtime: Handle::current(),
        }
    }

    fn resolve<'a>(&'a self, config: &'a ConfigBag) -> IdentityFuture<'a> {
        self.cache
            .resolve_cached_identity(self.resolver.clone(), &self.components, config)
    }
}

#[derive(Debug)]
struct Instantly;

impl ResolveIdentity for Instantly {
    fn resolve_identity<'a>(
        &'a self,
        _components: &'a RuntimeComponents,
        _config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let end = Some(SystemTime::now() + LIFETIME);
        let token = Token::new(bench_support::token(), end);
        IdentityFuture::ready(Ok(Identity::new(token, end)))
    }
}

impl Library for AwsSmithyRuntime {
    const NAME: &'static str = "aws_smithy_runtime";

    type Read = Identity;

    async fn ready() -> Self {
        let aws = Self::new(Instantly);
        aws.resolve(&ConfigBag::base()).await.unwrap();
        aws
    }

    fn reader(&self) -> impl FnMut() -> Identity {
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
            self.fail().await;
            Err("scripted".into())
        })
    }
}

pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let aws = AwsSmithyRuntime::new(source.clone());
    source
        .asked(|| {
            let aws = aws.clone();
            async move { aws.resolve(&ConfigBag::base()).await }
        })
        .await;
    source
}
