//! Plain HTTP to the fixtures, with a client that uses no crate of this workspace.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Certificate, Client, ClientBuilder, Method};
use rustls::crypto::ring;
use serde_json::Value;

use super::ca_pem;

/// Returns a client that uses no proxy, and trusts only the certificates of the fixtures.
pub(crate) fn http_client() -> Result<Client> {
    let client = http_client_builder()?.build();
    client.context("cannot build an HTTP client")
}

/// Returns the builder of this client.
pub(crate) fn http_client_builder() -> Result<ClientBuilder> {
    // only the first call in the process succeeds
    let _ = ring::default_provider().install_default();
    let ca = Certificate::from_pem(ca_pem()?.as_bytes())?;
    let builder = Client::builder().no_proxy().tls_certs_only([ca]);
    Ok(builder.timeout(Duration::from_secs(30)))
}

/// Sends a request to the control interface of a fixture.
pub(crate) async fn ask(method: Method, url: &str, body: Option<&Value>) -> Result<Value> {
    let mut request = http_client()?.request(method.clone(), url);
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let response = request.send().await?;
    let status = response.status();
    let body = response.text().await?;
    ensure!(
        status.is_success(),
        "{method} {url} was answered by {status}: {body}"
    );
    serde_json::from_str(&body)
        .with_context(|| format!("{method} {url} should have been answered by JSON, got {body:?}"))
}
