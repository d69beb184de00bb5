//! tonic's channel, with the layer around it.

use std::error::Error;

use auth_core::{TokenCache, async_trait};
use auth_tower::{Auth, AuthLayer, TowerTransport};
use tonic::{
    Code, Extensions, Request, Status,
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::Layer;

use super::{Stack, Tokens, hyper};
use crate::{answer::Answer, failure::Failure, target::Target, tls::Tls};

pub(super) struct TonicStack {
    client: HealthClient<Auth<Channel>>,
    metadata: MetadataMap,
    tokens: TokenCache,
}

impl TonicStack {
    pub(super) fn new(target: &Target, tls: &Tls, tokens: Tokens<'_>) -> anyhow::Result<Self> {
        let authorizer = tokens.over(TowerTransport::new(hyper::client(tls)))?;
        let endpoint = Endpoint::from(target.request.uri().clone()).tls_config(tls.tonic())?;
        let tokens = authorizer.tokens().clone();
        let channel =
            AuthLayer::for_endpoint(&endpoint, authorizer)?.layer(endpoint.connect_lazy());
        Ok(Self {
            client: HealthClient::new(channel),
            metadata: MetadataMap::from_headers(target.request.headers().clone()),
            tokens,
        })
    }
}

#[async_trait]
impl Stack for TonicStack {
    fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

    async fn send(&self, _whole_body: bool) -> Result<Answer, Failure> {
        let request = Request::from_parts(
            self.metadata.clone(),
            Extensions::default(),
            HealthCheckRequest::default(),
        );
        match self.client.clone().check(request).await {
            Ok(_) => Ok(Answer::grpc(Code::Ok, "")),
            Err(status) => answered(&status),
        }
    }
}

/// A status with a cause was made on this side: no answer came.
fn answered(status: &Status) -> Result<Answer, Failure> {
    match status.source() {
        Some(cause) => Err(Failure::new(cause, "http")),
        None => Ok(Answer::grpc(status.code(), status.message())),
    }
}
