//! `cargo xtask bench-report --rivals`: our crates beside other libraries, in tables and pictures.

mod alone;
mod libraries;
mod machine;
mod marked;
mod measured;
mod picture;
mod report;
mod tables;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Error, Result};
use bench_support::report::Directory;
use serde_json::Value;

use crate::{
    command,
    workspace::{Workspace, cargo},
};

use self::{alone::Programs, report::Context};

/// What has to be measured before the report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Measure {
    /// The figures are those of the last run.
    Nothing,
    /// All parts in a few rounds, whose figures are void.
    Quick,
    /// The crates and the builds.
    Builds,
    Everything,
}

/// Writes the section of BENCHMARKS.md and the pictures in `docs`, and prints the section.
pub(crate) fn run(workspace: &Workspace, measure: Measure) -> Result<()> {
    let peers = workspace.root().join("benches/peers/Cargo.toml");
    let directory = Directory::of(Some(&peers)).map_err(Error::from_boxed)?;
    let quick = measure == Measure::Quick;
    if quick || measure == Measure::Everything {
        run_benches(workspace, &peers, &directory, quick)?;
    }
    if measure != Measure::Nothing {
        let programs = Programs::write(&peers, directory.path().with_file_name("alone"))?;
        programs.count_crates(&directory)?;
        programs.build(&directory, quick)?;
    }
    let context = Context {
        versions: versions(&peers)?,
        machine: machine::recorded(&directory),
    };
    let report = report::of(&directory, &context)?;
    let benchmarks = workspace.root().join("BENCHMARKS.md");
    let old = fs::read_to_string(&benchmarks)
        .with_context(|| format!("cannot read {}", benchmarks.display()))?;
    let new = marked::replaced(&old, "rivals", &report.text)
        .with_context(|| format!("cannot use {}", benchmarks.display()))?;
    write(&benchmarks, &new)?;
    for (file, svg) in &report.pictures {
        write(&workspace.root().join("docs").join(file), svg)?;
    }
    print!("{}", report.text);
    Ok(())
}

fn write(file: &Path, content: &str) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

fn run_benches(
    workspace: &Workspace,
    peers: &Path,
    directory: &Directory,
    quick: bool,
) -> Result<()> {
    machine::record(workspace, directory)?;
    let mut benches = cargo();
    benches
        .args(["bench", "--locked", "--benches", "--manifest-path"])
        .arg(peers);
    if quick {
        benches.args(["--", "--quick"]);
    }
    command::status(&mut benches)?;
    let mut failing = cargo();
    failing.args([
        "run",
        "--locked",
        "--release",
        "--example",
        "failing_source",
    ]);
    command::status(failing.arg("--manifest-path").arg(peers))
}

/// Returns the versions of the packages that the peers use.
fn versions(peers: &Path) -> Result<BTreeMap<String, String>> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    let metadata = command::output(metadata.arg("--manifest-path").arg(peers))?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("`cargo metadata` did not print JSON")?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("`cargo metadata` printed no packages")?;
    let text = |package: &Value, what: &str| package[what].as_str().map(str::to_owned);
    let version = |package| Some((text(package, "name")?, text(package, "version")?));
    Ok(packages.iter().filter_map(version).collect())
}
