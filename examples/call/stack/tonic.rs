//! tonic's channel, with the layer around it.

use std::error::Error;

use auth_core::async_trait;
use auth_tower::{Auth, AuthLayer, Bounded, TowerTransport};
use tonic::{
    Code, Extensions, Request, Status,
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::Layer;

use super::{Stack, Tokens, hyper};
use crate::{
    answer::Answer, args::Args, failure::Failure, target::Target, tenants::Tenant, tls::Tls,
};

struct TonicStack {
    client: HealthClient<Auth<Channel>>,
    metadata: MetadataMap,
}

pub(super) fn of_tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    tokens: Tokens<'_>,
) -> anyhow::Result<Vec<Tenant>> {
    let endpoint = Endpoint::from(target.request.uri().clone()).tls_config(tls.tonic())?;
    let channel = endpoint.connect_lazy();
    let replay = args
        .max_replay_body
        .map_or_else(Bounded::default, Bounded::new);
    tokens.for_tenants(TowerTransport::new(hyper::client(tls)), |authorizer| {
        let layer = AuthLayer::for_endpoint(&endpoint, authorizer)?.replay(replay.clone());
        Ok(TonicStack {
            client: HealthClient::new(layer.layer(channel.clone())),
            metadata: MetadataMap::from_headers(target.request.headers().clone()),
        })
    })
}

#[async_trait]
impl Stack for TonicStack {
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
