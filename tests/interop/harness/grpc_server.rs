//! gRPC servers in other languages, which require a bearer token for every call.

use std::{ffi::OsStr, path::Path};

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::{Value, json};

use super::{OidcProvider, control, installation, process::Process};

/// A gRPC server for one test.
///
/// It serves `grpc.health.v1.Health` and `fixture.v1.Greeter` (fixtures/grpc/proto), and ends a call without
/// a valid token with `UNAUTHENTICATED` and `www-authenticate` in the trailers. By default it accepts one
/// token, `good-token`. grpcio also accepts tokens that are bound to a key, with a valid proof of DPoP for the
/// call (fixtures/grpc/python/dpop.py).
#[derive(Debug)]
pub(crate) struct GrpcServer {
    uri: String,
    control: String,
    _process: Process,
}

impl GrpcServer {
    /// Starts grpcio, the C core with Python. The head of fixtures/grpc/python/server.py documents the
    /// environment (`GRPC_TOKENS`, `GRPC_TLS`, …).
    pub(crate) async fn python(environment: &[(&str, &str)]) -> Result<Self> {
        let script = installation::script("grpc/python/server.py")?;
        Self::start(&installation::python()?, &script, environment).await
    }

    /// Starts grpc-js, which is written in JavaScript, with the same environment.
    pub(crate) async fn node(environment: &[(&str, &str)]) -> Result<Self> {
        let script = installation::script("grpc/node/server.mjs")?;
        Self::start(&installation::node()?, &script, environment).await
    }

    /// Starts [`python`](Self::python), which accepts the tokens that are active at `provider` (RFC 7662).
    pub(crate) async fn python_asking(provider: &OidcProvider) -> Result<Self> {
        Self::python(&asking(&provider.introspection_endpoint())).await
    }

    /// Starts [`node`](Self::node), which accepts the tokens that are active at `provider` (RFC 7662).
    pub(crate) async fn node_asking(provider: &OidcProvider) -> Result<Self> {
        Self::node(&asking(&provider.introspection_endpoint())).await
    }

    /// Returns `http://127.0.0.1:PORT`, for a tonic `Endpoint`, or `https` if started with `GRPC_TLS` set to
    /// [`keys_dir`](super::keys_dir).
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns `calls`, `unauthenticated` (the number of rejected calls), `tokens_seen` (the valid tokens, one
    /// entry for each call) and `valid`. From grpcio also `proofs_accepted`, `proofs_rejected` (the reasons) and
    /// `nonces_demanded`.
    pub(crate) async fn stats(&self) -> Result<Value> {
        control::ask(Method::GET, &self.control, None).await
    }

    /// Makes these tokens the only valid ones.
    pub(crate) async fn accept_only(&self, tokens: &[&str]) -> Result<()> {
        self.control(&json!({ "valid": tokens })).await
    }

    /// Rejects the next `calls` calls that carry a token.
    pub(crate) async fn reject_next(&self, calls: u64) -> Result<()> {
        self.control(&json!({ "reject_next": calls })).await
    }

    /// Demands this nonce in each proof of DPoP from now on. Only grpcio does.
    pub(crate) async fn demand_nonce(&self, nonce: &str) -> Result<()> {
        self.control(&json!({ "dpop_nonce": nonce })).await
    }

    async fn control(&self, what: &Value) -> Result<()> {
        control::ask(Method::POST, &self.control, Some(what))
            .await
            .map(drop)
    }

    async fn start(
        interpreter: &OsStr,
        script: &Path,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let environment = [environment, &[("GRPC_CONTROL", "1")]].concat();
        let (process, ready) = Process::start(interpreter, script, &["0"], &environment).await?;
        let incomplete = || format!("{process} named no port or no control URL: {ready}");
        let port = ready["port"].as_u64().with_context(incomplete)?;
        let control = ready["control"].as_str().with_context(incomplete)?;
        let scheme = if ready["tls"] == true {
            "https"
        } else {
            "http"
        };
        Ok(Self {
            uri: format!("{scheme}://127.0.0.1:{port}"),
            control: control.to_owned(),
            _process: process,
        })
    }
}

fn asking(introspection_endpoint: &str) -> [(&str, &str); 2] {
    [
        ("GRPC_INTROSPECT", introspection_endpoint),
        ("GRPC_INTROSPECT_AUTH", "resource-server:rs-secret"),
    ]
}
