//! reqwest's client, with the middleware around it.

use auth_core::{TokenCache, async_trait};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use bytes::Bytes;
use http::Request;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

use super::{LONGEST_IDLE, Stack, Tokens};
use crate::{answer::Answer, failure::Failure, target::Target, tls::Tls};

pub(super) struct ReqwestStack {
    client: ClientWithMiddleware,
    request: Request<Bytes>,
    tokens: TokenCache,
}

impl ReqwestStack {
    pub(super) fn new(target: &Target, tls: &Tls, tokens: Tokens<'_>) -> anyhow::Result<Self> {
        let authorizer = tokens.over(ReqwestTransport::new(tls.reqwest())?)?;
        let tokens = authorizer.tokens().clone();
        let client = tls.reqwest().pool_idle_timeout(LONGEST_IDLE).build()?;
        let client = ClientBuilder::new(client)
            .with(AuthMiddleware::new(authorizer))
            .build();
        Ok(Self {
            client,
            request: target.request.clone(),
            tokens,
        })
    }
}

#[async_trait]
impl Stack for ReqwestStack {
    fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

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
