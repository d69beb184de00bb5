//! `cargo xtask bench-report`: the last figures of the benches, compared with their bars.

use std::path::Path;

use anyhow::{Error, Result};
use bench_support::report::{self, Directory};
use clap::Args;

use crate::{
    command,
    rivals::{self, Measure},
    workspace::{Workspace, cargo},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Runs all benches first; takes several minutes, on a machine that does nothing else
    #[arg(long)]
    run: bool,

    /// Compares our crates with other libraries instead: writes the tables into BENCHMARKS.md and the pictures
    /// into docs; with --run takes some 35 minutes, 20 of them for the builds
    #[arg(long)]
    rivals: bool,

    /// Runs all parts of --rivals in a few rounds, which shows that they run, and measures nothing
    #[arg(long, requires = "rivals", requires = "run")]
    quick: bool,

    /// Counts the crates and measures the builds of --rivals only; the other figures are those of the last run
    #[arg(long, requires = "rivals", requires = "run", conflicts_with = "quick")]
    builds: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    if arguments.rivals {
        let measure = match (arguments.run, arguments.quick, arguments.builds) {
            (false, ..) => Measure::Nothing,
            (true, true, _) => Measure::Quick,
            (true, false, true) => Measure::Builds,
            (true, false, false) => Measure::Everything,
        };
        return rivals::run(&workspace, measure);
    }
    let ours = workspace.root().join("Cargo.toml");
    let peers = workspace.root().join("benches/peers/Cargo.toml");
    if arguments.run {
        bench(&ours, "auth-workspace", &["--benches"])?;
        bench(&peers, "peers", &["--bench", "peers"])?;
    }
    let directory = |manifest: &Path| Directory::of(Some(manifest)).map_err(Error::from_boxed);
    let report = report::all(&directory(&ours)?, &directory(&peers)?);
    print!("{}", report.map_err(Error::from_boxed)?);
    Ok(())
}

fn bench(manifest: &Path, package: &str, benches: &[&str]) -> Result<()> {
    command::status(
        cargo()
            .args(["bench", "--package", package])
            .args(benches)
            .arg("--manifest-path")
            .arg(manifest),
    )
}
