//! hyper-util's client, with the layer around it.

use auth_core::{TokenCache, async_trait};
use auth_tower::{Auth, AuthLayer, TowerTransport};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};

use super::{LONGEST_IDLE, Stack, Tokens};
use crate::{answer::Answer, failure::Failure, target::Target, tls::Tls};

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

pub(super) struct HyperStack {
    client: Auth<HttpClient>,
    request: Request<Full<Bytes>>,
    tokens: TokenCache,
}

impl HyperStack {
    pub(super) fn new(target: &Target, tls: &Tls, tokens: Tokens<'_>) -> anyhow::Result<Self> {
        let client = client(tls);
        let authorizer = tokens.over(TowerTransport::new(client.clone()))?;
        Ok(Self {
            tokens: authorizer.tokens().clone(),
            client: AuthLayer::new(authorizer).layer(client),
            request: target.request.clone().map(Full::new),
        })
    }
}

#[async_trait]
impl Stack for HyperStack {
    fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

    async fn send(&self, whole_body: bool) -> Result<Answer, Failure> {
        let response = self.client.clone().oneshot(self.request.clone()).await;
        let response = response.map_err(|e| Failure::new(&*e, "http"))?;
        let mut answer = Answer::http(response.status(), response.headers(), whole_body);
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| Failure::new(&e, "body"))?;
            answer.add(frame.data_ref().map_or(&[], |data| data));
        }
        Ok(answer)
    }
}

pub(super) fn client(tls: &Tls) -> HttpClient {
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(LONGEST_IDLE)
        .build(tls.hyper())
}
