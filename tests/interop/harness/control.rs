//! Plain HTTP to the fixtures, with a client that uses no crate of this workspace.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Certificate, Client, Method};
use rustls::crypto::ring;
use serde_json::Value;

use super::ca_pem;

/// Returns a client that uses no proxy, and trusts only the certificates of the fixtures.
pub(crate) fn http_client() -> Result<Client> {
    // only the first call in the process succeeds
    let _ = ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(ca_pem()?.as_bytes())?])
        .timeout(Duration::from_secs(30))
        .build()
        .context("cannot build an HTTP client")
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
