//! reqwest's client with `AuthMiddleware`.

use auth_core::{ReplayMethods, async_trait};
use auth_reqwest::{AuthMiddleware, ReqwestTransport, redirect_policy};
use bytes::Bytes;
use http::Request;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

use super::{MAX_IDLE, Stack, Tokens};
use crate::{
    args::Args, failure::Failure, response::Response, target::Target, tenants::Tenant, tls::Tls,
};

struct ReqwestStack {
    client: ClientWithMiddleware,
    request: Request<Bytes>,
}

pub(super) fn tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    mut tokens: Tokens<'_>,
) -> anyhow::Result<Vec<Tenant>> {
    let max = args.max_replay_body.unwrap_or(usize::MAX);
    if target.request.body().len() > max {
        // the middleware has no limit of its own and clones every body that can be cloned
        tokens.replay_methods = ReplayMethods::None;
    }
    let mut http_client = tls.reqwest().pool_idle_timeout(MAX_IDLE);
    if args.follow_redirects {
        http_client = http_client.redirect(redirect_policy());
    }
    let http_client = http_client.build()?;
    tokens.for_tenants(ReqwestTransport::new(tls.reqwest())?, |authorizer| {
        Ok(ReqwestStack {
            client: ClientBuilder::new(http_client.clone())
                .with(AuthMiddleware::new(authorizer))
                .build(),
            request: target.request.clone(),
        })
    })
}

#[async_trait]
impl Stack for ReqwestStack {
    async fn send(&self, whole_body: bool) -> Result<Response, Failure> {
        let request = reqwest::Request::try_from(self.request.clone()).map_err(failure)?;
        let mut response = self.client.execute(request).await.map_err(|e| match e {
            Error::Middleware(e) => Failure::new(e.as_ref(), "http"),
            Error::Reqwest(e) => failure(e),
        })?;
        let mut result = Response::http(response.status(), response.headers(), whole_body);
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            result.add(&chunk);
        }
        Ok(result)
    }
}

/// Removes the URL from the error, because its query may be private.
fn failure(error: reqwest::Error) -> Failure {
    Failure::new(&error.without_url(), "http")
}
