//! The machine and the commit of a measurement, in a file beside its figures.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result};
use bench_support::{processors, report::Directory};

use crate::{command, workspace::Workspace};

const FILE: &str = "rivals.txt";

/// Describes this machine and this commit, for the figures that are measured now.
pub(crate) fn record(workspace: &Workspace, directory: &Directory) -> Result<()> {
    let file = directory.path().join(FILE);
    fs::create_dir_all(directory.path())
        .and_then(|()| fs::write(&file, description(workspace)))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Returns the description of the machine on which the figures were measured.
pub(crate) fn recorded(directory: &Directory) -> Option<String> {
    fs::read_to_string(directory.path().join(FILE)).ok()
}

fn description(workspace: &Workspace) -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        command::output(git.args(arguments).current_dir(workspace.root())).ok()
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let commit = commit.map_or_else(|| "not known".to_owned(), |it| it.trim().to_owned());
    let changes = match git(&["status", "--porcelain"]) {
        Some(changes) if !changes.trim().is_empty() => ", with changes that are not committed",
        _ => "",
    };
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let rustc = command::output(rustc.arg("--version"));
    let rustc = rustc.map_or_else(|_| "rustc".to_owned(), |it| it.trim().to_owned());
    format!(
        "commit {commit}{changes}; {} processors ({}, {}); {rustc}",
        processors::count(),
        model(),
        env::consts::OS,
    )
}

/// Returns the name of the processor, as far as the system says.
fn model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    let mut names = lines.filter(|(key, _)| key.trim() == "model name");
    names.next().map_or_else(
        || env::consts::ARCH.to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}
