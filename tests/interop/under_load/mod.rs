//! Long runs of `call` under load. Plain `cargo test` ignores these tests, and `cargo xtask test` runs each
//! module in a separate step.

mod nonces;
mod refresh;
mod rejection;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    harness::{OidcProvider, until},
    run_call::call_json,
};

/// Returns the report of `call`.
async fn load(provider: &OidcProvider, more: &[&str], url: &str) -> Result<Value> {
    let run = call_json(provider, more, url).await?;
    print!("{}", run.stderr);
    run.json().with_context(|| run.stderr)
}

/// Waits until the server counts `count`, for at most a minute.
async fn reached(provider: &OidcProvider, counter: &str, count: u64) -> Result<()> {
    let counted = async || number(&provider.stats().await?, counter);
    until(counter, count, counted).await
}

fn number(of: &Value, member: &str) -> Result<u64> {
    of[member]
        .as_u64()
        .with_context(|| format!("no number {member} in {of}"))
}
