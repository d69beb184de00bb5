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
use bench_support::ready_now;
use bytes::Bytes;

use super::{Awaited, Library, ready};
use crate::source::{LIFETIME, Source};

#[derive(Clone)]
pub struct AzureCore {
    policy: BearerTokenAuthorizationPolicy,
    next: [Arc<dyn Policy>; 1],
}

impl AzureCore {
    /// Returns a function that reads once.
    pub fn into_reader(self) -> impl FnMut() -> AsyncRawResponse {
        let Self { policy, next } = self;
        let (context, mut request) = (Context::default(), request());
        move || ready_now(policy.send(&context, &mut request, &next)).unwrap()
    }

    /// Returns a function that does what a read does, without the policy.
    pub fn bare(&self) -> impl FnMut() -> AsyncRawResponse + use<> {
        let [next] = self.next.clone();
        let (context, mut request) = (Context::default(), request());
        move || ready_now(next.send(&context, &mut request, &[])).unwrap()
    }
}

fn request() -> Request {
    Request::new("https://api.example.test/".parse().unwrap(), Method::Get)
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

    type Header = AsyncRawResponse;

    async fn ready() -> Self {
        ready().await
    }

    fn reader(&self) -> impl FnMut() -> AsyncRawResponse {
        self.clone().into_reader()
    }
}

#[async_trait]
impl TokenCredential for Source {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken, Error> {
        let failed = |_| Error::with_message(ErrorKind::Credential, "scripted");
        Ok(AccessToken {
            token: Secret::new(self.token().await.map_err(failed)?),
            expires_on: OffsetDateTime::now_utc() + LIFETIME,
        })
    }
}

impl Awaited for AzureCore {
    type Token = AsyncRawResponse;
    type Error = Error;

    fn cold(source: Source) -> Self {
        Self {
            policy: BearerTokenAuthorizationPolicy::new(Arc::new(source), ["scope"]),
            next: [Arc::new(NoContent)],
        }
    }

    async fn token(self) -> Result<AsyncRawResponse, Error> {
        let context = Context::default();
        self.policy.send(&context, &mut request(), &self.next).await
    }
}
