//! Sends `GET API_URL` with hyper's client. Set `AUTH_TOKEN_URL`, `AUTH_CLIENT_ID`,
//! `AUTH_CLIENT_SECRET`, `API_URL` and, if the authorization server needs a scope, `AUTH_SCOPE`.

use anyhow::{Context, Error};
use auth_tower::{
    AuthLayer, HyperClient, TowerTransport,
    auth_core::{Authorizer, ClientSecret},
};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let https = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    let hyper_client = HyperClient::new(https);

    let secret = ClientSecret::from_env("AUTH_CLIENT_SECRET")?;
    let api = var("API_URL")?;
    let authorizer =
        Authorizer::client_credentials(var("AUTH_TOKEN_URL")?, var("AUTH_CLIENT_ID")?, secret)
            .scope(var("AUTH_SCOPE").unwrap_or_default())
            .origin_of(&api)
            .build(TowerTransport::new(hyper_client.clone()))?;

    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer))
        .service(hyper_client);

    let request = Request::get(api).body(Full::default())?;
    let response = client.oneshot(request).await.map_err(Error::from_boxed)?;
    println!("{}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}

fn var(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("environment variable {name}"))
}
