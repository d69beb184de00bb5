//! The three clients, each set up as a program of yours would do it.

use std::error::Error as _;

use anyhow::{Context, Error, anyhow};
use auth_core::Authorizer;
use auth_reqwest::{AuthMiddleware, ReqwestTransport, client_builder};
use auth_tower::{AuthLayer, HyperClient, TowerTransport};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tonic::{
    Code, Status,
    transport::{Channel, ClientTlsConfig},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    load::{Load, Outcome, Response},
    servers::Servers,
};

pub(crate) async fn hyper(servers: &Servers, load: &Load) -> anyhow::Result<Outcome> {
    let hyper_client = hyper_client();
    let api = servers.api_url.as_str();
    let secret = servers.client_secret.clone();
    let authorizer = Authorizer::client_credentials(&servers.token_url, &servers.client_id, secret)
        .scope(&servers.scope)
        .origin_of(api)
        .build(TowerTransport::new(hyper_client.clone()))?;

    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer.clone()))
        .service(hyper_client);

    let call = async || {
        let request = Request::get(api).body(Full::default())?;
        let response = client.clone().oneshot(request).await;
        let response = response.map_err(|e| match auth_core::Error::find(&*e) {
            Some(no_token) => Error::new(no_token.clone()),
            None => Error::from_boxed(e),
        })?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok(Response::from(status))
    };
    Ok(load.run("hyper", call, &authorizer).await)
}

pub(crate) async fn reqwest(servers: &Servers, load: &Load) -> anyhow::Result<Outcome> {
    let tls = rustls::ClientConfig::builder()
        .with_webpki_roots()
        .with_no_client_auth();
    let builder = || client_builder().tls_backend_preconfigured(tls.clone());
    let api = &servers.api_url;
    let secret = servers.client_secret.clone();
    let authorizer = Authorizer::client_credentials(&servers.token_url, &servers.client_id, secret)
        .scope(&servers.scope)
        .origin_of(api.as_str())
        .build(ReqwestTransport::new(builder())?)?;

    let client = reqwest_middleware::ClientBuilder::new(builder().build()?)
        .with(AuthMiddleware::new(authorizer.clone()))
        .build();

    let call = async || {
        let response = client.get(api.clone()).send().await;
        let response = response.map_err(|e| match e {
            // as the error itself, because it is not in the chain of the enum around it
            reqwest_middleware::Error::Middleware(e) => e,
            e => e.into(),
        })?;
        let status = response.status();
        response.bytes().await?;
        Ok(Response::from(status))
    };
    Ok(load.run("reqwest", call, &authorizer).await)
}

/// Returns `None` if there is no gRPC server.
pub(crate) async fn tonic(servers: &Servers, load: &Load) -> anyhow::Result<Option<Outcome>> {
    let Some(grpc_url) = &servers.grpc_url else {
        return Ok(None);
    };
    let secret = servers.client_secret.clone();
    let authorizer = Authorizer::client_credentials(&servers.token_url, &servers.client_id, secret)
        .scope(&servers.scope)
        .origin_of(grpc_url)
        .build(TowerTransport::new(hyper_client()))?;

    let endpoint = Channel::from_shared(grpc_url.clone())
        .context("GRPC_URL")?
        .tls_config(ClientTlsConfig::new().with_enabled_roots())?;
    let channel = ServiceBuilder::new()
        .layer(AuthLayer::for_endpoint(&endpoint, authorizer.clone())?)
        .service(endpoint.connect_lazy());
    let client = HealthClient::new(channel);

    let call = async || {
        let request = HealthCheckRequest::default();
        match client.clone().check(request).await {
            Ok(_) => Ok(Response::from(Code::Ok)),
            Err(status) if status.source().is_none() => Ok(Response::from(status.code())),
            // a status with a source was created by this client: there is no response
            Err(status) => Err(cause(&status)),
        }
    };
    Ok(Some(load.run("tonic", call, &authorizer).await))
}

/// Returns the error of the layer without the status around it, whose text is long.
fn cause(status: &Status) -> Error {
    match auth_core::Error::find(status) {
        Some(no_token) => Error::new(no_token.clone()),
        None => anyhow!("{}", status.message()),
    }
}

fn hyper_client() -> HyperClient<HttpsConnector<HttpConnector>> {
    let https = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    HyperClient::new(https)
}
