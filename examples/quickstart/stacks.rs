//! The three stacks, each as a program of yours would set it up.

use std::error::Error as _;

use anyhow::{Context, Error, anyhow};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_tower::{AuthLayer, TowerTransport};
use bytes::Bytes;
use counting_source::TokenRequestCount;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tonic::{
    Code, Status,
    transport::{Channel, ClientTlsConfig},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    load::{Answer, Load, Outcome},
    place::Place,
    tokens::tokens,
};

pub(crate) async fn hyper(place: &Place, load: &Load) -> anyhow::Result<Outcome> {
    let count = TokenRequestCount::default();
    let hyper_client = hyper_client();
    let transport = TowerTransport::new(hyper_client.clone());
    let api = &place.api_url;
    let tokens = tokens(place, api.as_str(), transport, &count)?;

    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(tokens))
        .service(hyper_client);

    let call = async || {
        let request = Request::get(api.as_str()).body(Full::default())?;
        let response = client.clone().oneshot(request).await;
        let response = response.map_err(|e| match e.downcast::<auth_core::Error>() {
            Ok(no_token) => Error::new(*no_token),
            Err(e) => Error::from_boxed(e),
        })?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok(Answer::from(status))
    };
    Ok(load.run("hyper", call, &count).await)
}

pub(crate) async fn reqwest(place: &Place, load: &Load) -> anyhow::Result<Outcome> {
    let tls = rustls::ClientConfig::builder()
        .with_webpki_roots()
        .with_no_client_auth();
    let builder = || {
        let builder = reqwest::Client::builder().tls_backend_preconfigured(tls.clone());
        match place.is_embedded() {
            true => builder.no_proxy(), // no proxy leads into this process
            false => builder,
        }
    };
    let count = TokenRequestCount::default();
    let transport = ReqwestTransport::new(builder())?;
    let api = &place.api_url;
    let tokens = tokens(place, api.as_str(), transport, &count)?;

    let client = reqwest_middleware::ClientBuilder::new(builder().build()?)
        .with(AuthMiddleware::new(tokens))
        .build();

    let call = async || {
        let response = client.get(api.clone()).send().await;
        let response = response.map_err(|e| match e {
            reqwest_middleware::Error::Middleware(e) => e, // else not of its chain
            e => e.into(),
        })?;
        let status = response.status();
        response.bytes().await?;
        Ok(Answer::from(status))
    };
    Ok(load.run("reqwest", call, &count).await)
}

/// None without a gRPC server.
pub(crate) async fn tonic(place: &Place, load: &Load) -> anyhow::Result<Option<Outcome>> {
    let Some(grpc_url) = &place.grpc_url else {
        return Ok(None);
    };
    let count = TokenRequestCount::default();
    let tokens = tokens(place, grpc_url, TowerTransport::new(hyper_client()), &count)?;

    let endpoint = Channel::from_shared(grpc_url.clone())
        .context("GRPC_URL")?
        .tls_config(ClientTlsConfig::new().with_enabled_roots())?;
    let channel = ServiceBuilder::new()
        .layer(AuthLayer::for_endpoint(&endpoint, tokens)?)
        .service(endpoint.connect_lazy());
    let client = HealthClient::new(channel);

    let call = async || {
        let request = HealthCheckRequest::default();
        match client.clone().check(request).await {
            Ok(_) => Ok(Answer::from(Code::Ok)),
            Err(status) if status.source().is_none() => Ok(Answer::from(status.code())),
            // made on this side: no answer came
            Err(status) => Err(cause(&status)),
        }
    };
    Ok(Some(load.run("tonic", call, &count).await))
}

/// What the middleware says, without all that a status says of itself.
fn cause(status: &Status) -> Error {
    match status.source().and_then(|cause| cause.downcast_ref()) {
        Some(no_token) => Error::new(auth_core::Error::clone(no_token)),
        None => anyhow!("{}", status.message()),
    }
}

fn hyper_client() -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let https = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    Client::builder(TokioExecutor::new()).build(https)
}
