//! `GET API_URL` with reqwest. Set `AUTH_TOKEN_URL`, `AUTH_CLIENT_ID`, `AUTH_CLIENT_SECRET`,
//! `API_URL` and, if your provider wants one, `AUTH_SCOPE`.

use anyhow::Context;
use auth_reqwest::{
    AuthMiddleware, ReqwestTransport,
    auth_core::{Authorizer, ClientAuthentication, ClientCredentials, ClientSecret, TokenCache},
};
use reqwest_middleware::ClientBuilder;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // only because this workspace builds reqwest with `rustls-no-provider`
    let _ = rustls::crypto::ring::default_provider().install_default();

    let secret = ClientSecret::from_env("AUTH_CLIENT_SECRET")?;
    let credentials = ClientCredentials::builder(
        var("AUTH_TOKEN_URL")?,
        var("AUTH_CLIENT_ID")?,
        ClientAuthentication::client_secret_basic(secret),
    )
    .scope(var("AUTH_SCOPE").unwrap_or_default())
    .build(ReqwestTransport::new(reqwest::Client::builder())?)?;
    let api = var("API_URL")?;
    let tokens = Authorizer::builder(TokenCache::new(credentials))
        .origin_of(&api)
        .build()?;

    let client = ClientBuilder::new(reqwest::Client::new())
        .with(AuthMiddleware::new(tokens))
        .build();

    let response = client.get(api).send().await?;
    println!("{}", response.status());
    println!("{}", response.text().await?);
    Ok(())
}

fn var(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("environment variable {name}"))
}
