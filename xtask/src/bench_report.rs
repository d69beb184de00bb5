//! `cargo xtask bench-report`: the last figures of the benches, compared with their bars.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bench_support::report::Report;
use clap::Args;
use serde_json::Value;

use crate::{
    command,
    workspace::{Workspace, cargo},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Runs all benches first; takes several minutes, on a machine that does nothing else
    #[arg(long)]
    run: bool,
    /// Runs the benches of other libraries as well, and draws the pictures
    #[arg(long)]
    rivals: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let ours = workspace.root().join("Cargo.toml");
    let peers = workspace.root().join("benches/peers/Cargo.toml");
    if arguments.run {
        bench(&ours, "auth-workspace")?;
        if arguments.rivals {
            bench(&peers, "peers")?;
        }
    }
    let report = Report::new(criterion_directory(&ours)?, criterion_directory(&peers)?);
    print!("{}", report.tables()?);
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
