//! The JOSE library `jose` of npm.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{installation, process::Process};

/// Verifies JWTs, and returns what the library read of each. The head of fixtures/oidc-provider/verify.mjs documents
/// the members of both.
pub(crate) async fn verify(jwts: &[Value]) -> Result<Vec<Value>> {
    let script = installation::script("oidc-provider/verify.mjs")?;
    let jwts = Value::from(jwts).to_string();
    let (_process, read) = Process::start(&installation::node()?, &script, &[&jwts], &[]).await?;
    let read = read.as_array().context("expected a list of results")?;
    Ok(read.clone())
}
