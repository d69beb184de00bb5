//! reqwest's client, with the middleware around it.

use auth_core::{ReplayMethods, async_trait};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use bytes::Bytes;
use http::Request;
use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

use super::{LONGEST_IDLE, Stack, Tokens};
use crate::{
    answer::Answer, args::Args, failure::Failure, target::Target, tenants::Tenant, tls::Tls,
};

struct ReqwestStack {
    client: ClientWithMiddleware,
    request: Request<Bytes>,
}

pub(super) fn of_tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    mut tokens: Tokens<'_>,
) -> anyhow::Result<Vec<Tenant>> {
    let longest = args.max_replay_body.unwrap_or(usize::MAX);
    if target.request.body().len() > longest {
        // the middleware copies whatever can be copied, and bytes can
        tokens.replay_methods = ReplayMethods::None;
    }
    let mut http_client = tls.reqwest().pool_idle_timeout(LONGEST_IDLE);
    if args.follow_redirects {
        http_client = http_client.redirect(Policy::default());
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
    async fn send(&self, whole_body: bool) -> Result<Answer, Failure> {
        let request = reqwest::Request::try_from(self.request.clone()).map_err(failed)?;
        let mut response = self.client.execute(request).await.map_err(|e| match e {
            Error::Middleware(e) => Failure::new(e.as_ref(), "http"),
            Error::Reqwest(e) => failed(e),
        })?;
        let mut answer = Answer::http(response.status(), response.headers(), whole_body);
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            answer.add(&chunk);
        }
        Ok(answer)
    }
}

/// Without the URL, whose query may be private.
fn failed(error: reqwest::Error) -> Failure {
    Failure::new(&error.without_url(), "http")
}
