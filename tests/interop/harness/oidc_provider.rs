//! The certified authorization server `oidc-provider`, and an API that takes its tokens.

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::Value;

use super::{control, installation, process::Process};

/// An authorization server of its own for one test.
///
/// Its clients are listed in fixtures/oidc-provider/clients.mjs: `basic-client` / `basic-secret`,
/// `post-client` / `post-secret`, `short-client` / `short-secret` (3 s tokens), `narrow-client`
/// (`document_read` only), `we:ird id` (all that needs encoding), ….
#[derive(Debug)]
pub(crate) struct OidcProvider {
    issuer: String,
    _process: Process,
}

impl OidcProvider {
    /// Starts it on `http`. The environment it understands (`AS_TOKEN_TTL`, …) is told at the head
    /// of fixtures/oidc-provider/server.mjs.
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

    /// Starts it on `https`, with a certificate of the CA in [`ca_pem`](super::ca_pem). It asks
    /// for a client certificate and can do without.
    pub(crate) async fn start_tls(environment: &[(&str, &str)]) -> Result<Self> {
        Self::start(&[environment, &[("AS_TLS", "1")]].concat()).await
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn token_endpoint(&self) -> String {
        self.at("/token")
    }

    /// RFC 7662; `resource-server` / `rs-secret` may ask about every token.
    pub(crate) fn introspection_endpoint(&self) -> String {
        self.at("/token/introspection")
    }

    /// The same without client authentication, and by what the API knows: of `revoke_all`, too.
    pub(crate) fn introspection_of_the_api(&self) -> String {
        self.at("/__introspect")
    }

    /// The protected resource: 200 with what it knows of token and request, or 401, or 403.
    /// `?scope=S` demands that scope.
    pub(crate) fn api(&self) -> String {
        self.at("/api/echo")
    }

    /// Counts since the start or the last [`reset_stats`](Self::reset_stats): `token_requests`,
    /// `token_ok`, `token_error`, `max_in_flight` (token requests at one time), `api_200`,
    /// `api_401`, `api_403`, `discovery_requests`, `jwks_requests`, `connections` (ours too).
    pub(crate) async fn stats(&self) -> Result<Value> {
        control::ask(Method::GET, &self.at("/__stats"), None).await
    }

    /// Back to zero, `connections` excepted.
    pub(crate) async fn reset_stats(&self) -> Result<()> {
        control::ask(Method::DELETE, &self.at("/__stats"), None)
            .await
            .map(drop)
    }

    /// Lets things go wrong from now on.
    ///
    /// Of the token endpoint: `delay_ms`; `fail_next: N` answers by `fail_status` (503) and
    /// `retry_after`; `drop_next: N` cuts the connection. Of the API: `api_401_next: N` refuses
    /// without a challenge. `revoke_all: true` ends every token issued so far.
    pub(crate) async fn faults(&self, faults: Value) -> Result<()> {
        control::ask(Method::POST, &self.at("/__faults"), Some(&faults))
            .await
            .map(drop)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}
