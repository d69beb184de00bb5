//! Runs `call`, the evaluation tool.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::OidcProvider;

/// The outcome of a run of `call`.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("no JSON: {} {}", self.stdout, self.stderr))
    }
}

pub(crate) async fn call(secret: &str, arguments: &[&str]) -> Result<Run> {
    let mut command = Command::new(binary()?);
    command.args(arguments).env("AUTH_CLIENT_SECRET", secret);
    let output = command.kill_on_drop(true).output().await?;
    Ok(Run {
        code: output.status.code().context("killed")?,
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// Runs `call` as `basic-client`, with `more` before the URL.
pub(crate) async fn call_as_basic(
    provider: &OidcProvider,
    more: &[&str],
    url: &str,
) -> Result<Run> {
    let token_url = provider.token_endpoint();
    let fixed = ["--token-url", &token_url, "--client-id", "basic-client"];
    call("basic-secret", &[&fixed, more, &[url]].concat()).await
}

/// Runs `call` as `basic-client` with `--json`.
pub(crate) async fn call_json(provider: &OidcProvider, more: &[&str], url: &str) -> Result<Run> {
    call_as_basic(provider, &[&["--json"], more].concat(), url).await
}

/// The path of the example, which cargo builds next to the tests.
pub(crate) fn binary() -> Result<PathBuf> {
    let tests = env::current_exe()?;
    let profile = tests.parent().and_then(Path::parent);
    let call = profile
        .context("no target directory")?
        .join("examples/call");
    ensure!(
        call.exists(),
        "{} is not built: run `cargo xtask test`",
        call.display()
    );
    Ok(call)
}
