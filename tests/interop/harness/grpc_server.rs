//! gRPC servers in other languages, which want a bearer token with every call.

use std::{ffi::OsStr, path::Path};

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::{Value, json};

use super::{OidcProvider, control, installation, process::Process};

/// A gRPC server of its own for one test.
///
/// It serves `grpc.health.v1.Health` and `fixture.v1.Greeter` (fixtures/grpc/proto), and ends a
/// call without a valid token by `UNAUTHENTICATED` with `www-authenticate` in the trailers. Unless
/// told otherwise it takes one token, `good-token`.
#[derive(Debug)]
pub(crate) struct GrpcServer {
    uri: String,
    control: String,
    _process: Process,
}

impl GrpcServer {
    /// grpcio, the C core under Python. The environment it understands (`GRPC_TOKENS`,
    /// `GRPC_TLS`, …) is told at the head of fixtures/grpc/python/server.py.
    pub(crate) async fn python(environment: &[(&str, &str)]) -> Result<Self> {
        let script = installation::script("grpc/python/server.py")?;
        Self::start(&installation::python()?, &script, environment).await
    }

    /// grpc-js, in JavaScript throughout. It understands the same environment.
    pub(crate) async fn node(environment: &[(&str, &str)]) -> Result<Self> {
        let script = installation::script("grpc/node/server.mjs")?;
        Self::start(&installation::node()?, &script, environment).await
    }

    /// [`python`](Self::python), taking the tokens that `provider` calls active (RFC 7662).
    pub(crate) async fn python_asking(provider: &OidcProvider) -> Result<Self> {
        Self::python(&asking(&provider.introspection_endpoint())).await
    }

    /// [`node`](Self::node), taking the tokens that `provider` calls active (RFC 7662).
    pub(crate) async fn node_asking(provider: &OidcProvider) -> Result<Self> {
        Self::node(&asking(&provider.introspection_endpoint())).await
    }

    /// `http://127.0.0.1:PORT`, for a tonic `Endpoint`; `https` if started with `GRPC_TLS` set to
    /// [`keys_dir`](super::keys_dir).
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// `calls`, `unauthenticated` (how many of them were refused), `tokens_seen` (the good ones,
    /// one entry a call), `valid`.
    pub(crate) async fn stats(&self) -> Result<Value> {
        control::ask(Method::GET, &self.control, None).await
    }

    /// Takes these tokens from now on, and no others.
    pub(crate) async fn accept_only(&self, tokens: &[&str]) -> Result<()> {
        self.tell(&json!({ "valid": tokens })).await
    }

    /// Refuses the next `calls` whose token would be looked at, whatever it is.
    pub(crate) async fn refuse_next(&self, calls: u64) -> Result<()> {
        self.tell(&json!({ "refuse_next": calls })).await
    }

    async fn tell(&self, what: &Value) -> Result<()> {
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
