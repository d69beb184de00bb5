//! The pipeline policy that keeps the token, because the cache is not accessible otherwise. A read runs
//! the policy: it inserts a header, built anew and checked for expiry, into a request that each thread
//! makes once, and returns an empty response.

use std::sync::Arc;

use ::azure_core::{
    Error,
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, Context, Method, Request, StatusCode,
        headers::Headers,
        policies::{Policy, PolicyResult, auth::BearerTokenAuthorizationPolicy},
    },
    time::OffsetDateTime,
};
use async_trait::async_trait;
use bytes::Bytes;

use super::{LIFETIME, Library};
use bench_support::ready_now;

use crate::failing::{CALLERS, Failure, Source};

#[derive(Clone)]
pub struct AzureCore {
    policy: BearerTokenAuthorizationPolicy,
    next: [Arc<dyn Policy>; 1],
}

impl AzureCore {
    fn new(credential: impl TokenCredential + 'static) -> Self {
        Self {
            policy: BearerTokenAuthorizationPolicy::new(Arc::new(credential), ["scope"]),
            next: [Arc::new(NoContent)],
        }
    }
}

fn request() -> Request {
    Request::new("https://api.example.test/".parse().unwrap(), Method::Get)
}

#[derive(Debug)]
struct Instantly;

#[async_trait]
impl TokenCredential for Instantly {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken, Error> {
        Ok(AccessToken {
            token: Secret::new(bench_support::token()),
            expires_on: OffsetDateTime::now_utc() + LIFETIME,
        })
    }
}

/// The policy that follows in the pipeline.
#[derive(Debug)]
struct NoContent;

#[async_trait]
impl Policy for NoContent {
    async fn send(&self, _: &Context, _: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::NoContent,
            Headers::new(),
            Bytes::new(),
        ))
    }
}

impl Library for AzureCore {
    const NAME: &'static str = "azure_core";

    type Read = AsyncRawResponse;

    async fn ready() -> Self {
        let azure = Self::new(Instantly);
        let context = Context::default();
        let sent = azure
            .policy
            .send(&context, &mut request(), &azure.next)
            .await;
        sent.unwrap();
        azure
    }

    fn reader(&self) -> impl FnMut() -> AsyncRawResponse {
        let Self { policy, next } = self.clone();
        let (context, mut request) = (Context::default(), request());
        move || ready_now(policy.send(&context, &mut request, &next)).unwrap()
    }
}

#[async_trait]
impl TokenCredential for Source {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken, Error> {
        self.fail().await;
        Err(Error::with_message(ErrorKind::Credential, "scripted"))
    }
}

pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let azure = AzureCore::new(source.clone());
    source
        .asked(|| {
            let AzureCore { policy, next } = azure.clone();
            async move {
                policy
                    .send(&Context::default(), &mut request(), &next)
                    .await
            }
        })
        .await;
    source
}
