//! `cargo xtask bench-report`: the last figures of the benches, compared with their bars.

mod rows;
mod samples;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{
    command,
    workspace::{Workspace, cargo},
};
use samples::Samples;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Runs all benches first; takes several minutes, on a machine that does nothing else
    #[arg(long)]
    run: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let ours = workspace.root().join("Cargo.toml");
    let peers = workspace.root().join("benches/peers/Cargo.toml");
    if arguments.run {
        bench(&ours, "auth-workspace")?;
        bench(&peers, "peers")?;
    }
    let report = report(
        &Samples::new(criterion_directory(&ours)?),
        &Samples::new(criterion_directory(&peers)?),
    )?;
    print!("{report}");
    Ok(())
}

fn bench(manifest: &Path, package: &str) -> Result<()> {
    command::status(
        cargo()
            .args(["bench", "--benches", "--package", package])
            .arg("--manifest-path")
            .arg(manifest),
    )
}

/// Returns the directory in which criterion keeps the samples of this manifest's benches. cargo evaluates
/// `CARGO_TARGET_DIR` and `build.target-dir`.
fn criterion_directory(manifest: &Path) -> Result<PathBuf> {
    let mut metadata = cargo();
    metadata
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .arg("--manifest-path")
        .arg(manifest);
    let metadata: Value = serde_json::from_str(&command::output(&mut metadata)?)
        .context("`cargo metadata` did not print JSON")?;
    let target = metadata["target_directory"].as_str();
    let target = target.context("`cargo metadata` printed no `target_directory`")?;
    Ok(Path::new(target).join("criterion"))
}

/// Returns the table, in Markdown.
///
/// # Errors
///
/// If no bench has been run, or the samples of a bench cannot be read.
fn report(ours: &Samples, peers: &Samples) -> Result<String> {
    let rows = rows::all(ours, peers)?;
    if rows.iter().all(|row| row.measured.is_none()) {
        bail!("no bench has been run (looked in {ours}); run `cargo xtask bench-report --run`");
    }
    let mut table = "| figure | bar | measured (95 % interval) | |\n|---|---|---|---|\n".to_owned();
    for row in &rows {
        table.push_str(&row.to_string());
        table.push('\n');
    }
    table
        .push_str("\nAllocations are counted, and printed, by `cargo bench --bench middleware`.\n");
    Ok(table)
}
