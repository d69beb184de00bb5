//! Sends `GET API_URL` with reqwest, as the client `my-client`. Set `AUTH_TOKEN_URL`,
//! `AUTH_CLIENT_SECRET` and `API_URL`.

use auth_reqwest::{AuthMiddleware, ReqwestTransport, auth_core, client_builder};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // only because this workspace builds reqwest with `rustls-no-provider`
    let _ = rustls::crypto::ring::default_provider().install_default();

    let (api, url) = (std::env::var("API_URL")?, std::env::var("AUTH_TOKEN_URL")?);
    let secret = auth_core::ClientSecret::from_env("AUTH_CLIENT_SECRET")?;
    let authorizer = auth_core::Authorizer::client_credentials(url, "my-client", secret)
        .scope("document_read")
        .origin_of(&api)
        .build(ReqwestTransport::new(client_builder())?)?;
    let client = reqwest_middleware::ClientBuilder::new(client_builder().build()?)
        .with(AuthMiddleware::new(authorizer))
        .build();
    println!("{}", client.get(api).send().await?.text().await?);
    Ok(())
}
