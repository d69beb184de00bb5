//! A TCP proxy that breaks connections on demand.

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::{Value, json};

use super::{control, installation, process::Process};

/// A proxy of one server. It forwards bytes, and works for HTTP, TLS and gRPC.
#[derive(Debug)]
pub(crate) struct FaultProxy {
    authority: String,
    control: String,
    _process: Process,
}

impl FaultProxy {
    /// Starts a proxy of `upstream`: `127.0.0.1:PORT`, or an `http` or `https` URL with this authority.
    pub(crate) async fn start(upstream: &str) -> Result<Self> {
        let (process, ready) = Process::start(
            &installation::node()?,
            &installation::script("faults/proxy.mjs")?,
            &[upstream],
            &[],
        )
        .await?;
        let incomplete = || format!("{process} named no port or no control URL: {ready}");
        let port = ready["port"].as_u64().with_context(incomplete)?;
        let control = ready["control"].as_str().with_context(incomplete)?;
        Ok(Self {
            authority: format!("127.0.0.1:{port}"),
            control: control.to_owned(),
            _process: process,
        })
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Queues a fault for each of the next connections; those after them pass.
    ///
    /// `pass`; `refuse` (closed at once); `reset` (RST after the first bytes of a request); `hang`;
    /// `truncate:BYTES` and `rst-after:BYTES` of the response; `delay:MS`; `drip:MS` for each byte. A fault
    /// applies when a connection is opened. To close open connections, see [`kill`](Self::kill).
    pub(crate) async fn next(&self, faults: &[&str]) -> Result<()> {
        self.control(&json!({ "next": faults })).await
    }

    /// Resets every open connection.
    pub(crate) async fn kill(&self) -> Result<()> {
        self.control(&json!({ "kill": true })).await
    }

    /// Returns `seen` (the fault of each connection, in order), `live` (the number of open connections) and
    /// `next`.
    pub(crate) async fn stats(&self) -> Result<Value> {
        control::ask(Method::GET, &self.control, None).await
    }

    async fn control(&self, what: &Value) -> Result<()> {
        control::ask(Method::POST, &self.control, Some(what))
            .await
            .map(drop)
    }
}
