//! Requests the health of the gRPC server at `GRPC_URL` with tonic. Set `AUTH_TOKEN_URL`,
//! `AUTH_CLIENT_ID`, `AUTH_CLIENT_SECRET`, `GRPC_URL` and, if the authorization server needs a scope,
//! `AUTH_SCOPE`.

use anyhow::Context;
use auth_tower::{
    AuthLayer, HyperClient, TowerTransport,
    auth_core::{Authorizer, ClientSecret},
};
use hyper_rustls::HttpsConnectorBuilder;
use tonic::transport::{Channel, ClientTlsConfig};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::ServiceBuilder;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let https = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    let token_client = HyperClient::new(https);

    let secret = ClientSecret::from_env("AUTH_CLIENT_SECRET")?;
    let grpc_url = var("GRPC_URL")?;
    let authorizer =
        Authorizer::client_credentials(var("AUTH_TOKEN_URL")?, var("AUTH_CLIENT_ID")?, secret)
            .scope(var("AUTH_SCOPE").unwrap_or_default())
            .origin_of(&grpc_url)
            .build(TowerTransport::new(token_client))?;

    let endpoint =
        Channel::from_shared(grpc_url)?.tls_config(ClientTlsConfig::new().with_enabled_roots())?;
    let channel = ServiceBuilder::new()
        .layer(AuthLayer::for_endpoint(&endpoint, authorizer)?)
        .service(endpoint.connect_lazy());

    let response = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await?;
    println!("{:?}", response.into_inner().status());
    Ok(())
}

fn var(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("environment variable {name}"))
}
