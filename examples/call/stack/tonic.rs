//! tonic's channel with `AuthLayer`.

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
    args::Args, failure::Failure, response::Response, target::Target, tenants::Tenant, tls::Tls,
};

struct TonicStack {
    client: HealthClient<Auth<Channel>>,
    metadata: MetadataMap,
}

pub(super) fn tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    tokens: Tokens<'_>,
) -> anyhow::Result<Vec<Tenant>> {
    let endpoint = Endpoint::from(target.request.uri().clone());
    let channel = Channel::new(tls.tonic(), endpoint.clone());
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
    async fn send(&self, _whole_body: bool) -> Result<Response, Failure> {
        let request = Request::from_parts(
            self.metadata.clone(),
            Extensions::default(),
            HealthCheckRequest::default(),
        );
        match self.client.clone().check(request).await {
            Ok(_) => Ok(Response::grpc(Code::Ok, "")),
            Err(status) => response_or_failure(&status),
        }
    }
}

/// Returns a failure for a status with a source: the client created it, and there is no response.
fn response_or_failure(status: &Status) -> Result<Response, Failure> {
    match status.source() {
        Some(cause) => Err(Failure::new(cause, "http")),
        None => Ok(Response::grpc(status.code(), status.message())),
    }
}
