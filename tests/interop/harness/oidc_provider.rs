//! The certified authorization server `oidc-provider`, and an API that accepts its tokens.

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::Value;

use super::{control, installation, process::Process};

/// An authorization server for one test.
///
/// Clients are listed in fixtures/oidc-provider/clients.mjs: `basic-client` / `basic-secret`,
/// `post-client` / `post-secret`, `short-client` / `short-secret` (3 s tokens), `narrow-client`
/// (`document_read` only), `we:ird id` (all that needs encoding), ….
#[derive(Debug)]
pub(crate) struct OidcProvider {
    issuer: String,
    _process: Process,
}

impl OidcProvider {
    /// Starts a server on `http`. The head of fixtures/oidc-provider/server.mjs documents the environment
    /// (`AS_TOKEN_TTL`, …).
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Result<Self> {
        let (process, ready) = Process::start(
            &installation::node()?,
            &installation::script("oidc-provider/server.mjs")?,
            &["0"],
            environment,
        )
        .await?;
        let issuer = ready["issuer"]
            .as_str()
            .with_context(|| format!("{process} named no issuer: {ready}"))?;
        Ok(Self {
            issuer: issuer.to_owned(),
            _process: process,
        })
    }

    /// Starts a server on `https`, with a certificate of the CA in [`ca_pem`](super::ca_pem). The server requests
    /// an optional client certificate.
    pub(crate) async fn start_tls(environment: &[(&str, &str)]) -> Result<Self> {
        Self::start(&[environment, &[("AS_TLS", "1")]].concat()).await
    }

    /// Returns `http://127.0.0.1:PORT`, without a trailing slash.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn token_endpoint(&self) -> String {
        self.at("/token")
    }

    /// Returns the introspection endpoint (RFC 7662). `resource-server` / `rs-secret` may introspect every token.
    pub(crate) fn introspection_endpoint(&self) -> String {
        self.at("/token/introspection")
    }

    /// Returns an introspection endpoint without client authentication, which knows `revoke_all` as well.
    pub(crate) fn introspection_of_the_api(&self) -> String {
        self.at("/__introspect")
    }

    /// Returns the URL of the protected resource: 200 with details of token and request, or 401, or 403.
    /// `?scope=S` requires this scope.
    pub(crate) fn api(&self) -> String {
        self.at("/api/echo")
    }

    /// Returns the counts since the start or the last [`reset_stats`](Self::reset_stats): `token_requests`,
    /// `token_ok`, `token_error`, `max_in_flight` (concurrent token requests), `api_200`, `api_401`, `api_403`,
    /// `discovery_requests`, `jwks_requests`, `connections` (including those of this harness) and
    /// `api_nonce_changes`, which is never reset.
    pub(crate) async fn stats(&self) -> Result<Value> {
        control::ask(Method::GET, &self.at("/__stats"), None).await
    }

    /// Resets the counts to zero, except `connections`.
    pub(crate) async fn reset_stats(&self) -> Result<()> {
        control::ask(Method::DELETE, &self.at("/__stats"), None)
            .await
            .map(drop)
    }

    /// Configures faults.
    ///
    /// Of the token endpoint: `delay_ms`; `fail_next: N` responds N times with `fail_status` (503) and
    /// `retry_after`; `drop_next: N` closes N connections. Of the API: `api_401_next: N` responds N times with a
    /// 401 without a challenge. `revoke_all: true` revokes every token issued so far.
    pub(crate) async fn faults(&self, faults: Value) -> Result<()> {
        control::ask(Method::POST, &self.at("/__faults"), Some(&faults))
            .await
            .map(drop)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}
