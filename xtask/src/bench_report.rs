//! `cargo xtask bench-report`: the last figures of the benches, compared with their bars.

use std::path::Path;

use anyhow::{Error, Result};
use bench_support::report::{self, Directory};
use clap::Args;

use crate::{
    command,
    workspace::{Workspace, cargo},
};

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
    let directory = |manifest: &Path| Directory::of(Some(manifest)).map_err(Error::from_boxed);
    let report = report::all(&directory(&ours)?, &directory(&peers)?);
    print!("{}", report.map_err(Error::from_boxed)?);
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
