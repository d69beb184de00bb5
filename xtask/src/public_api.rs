//! `cargo xtask public-api`: the public API of each published crate, listed in a file beside its
//! manifest, so that a change of it is seen in review.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{
    command,
    workspace::{Workspace, cargo},
};

/// The tool that lists a public API. Each version reads the rustdoc JSON of some nightly toolchains;
/// the message of a failed run names them.
const TOOL: &str = "cargo-public-api@0.52.0";

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Fails if a listing differs from the code, and writes nothing
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    install(&workspace)?;
    let mut changed = Vec::new();
    for package in published()? {
        let found = listing(&workspace, &package.name)?;
        if arguments.check {
            let committed = fs::read_to_string(&package.listing).unwrap_or_default();
            let difference = difference(&committed, &found);
            if !difference.is_empty() {
                println!("{}:\n{difference}", package.name);
                changed.push(package.name);
            }
        } else {
            fs::write(&package.listing, found)
                .with_context(|| package.listing.display().to_string())?;
            println!("{}", package.listing.display());
        }
    }
    if !changed.is_empty() {
        bail!(
            "the public API of {} is not the one in public-api.txt; if the change is intended, run \
             `cargo xtask public-api` and commit the files",
            changed.join(", ")
        );
    }
    Ok(())
}

struct Package {
    name: String,
    listing: PathBuf,
}

fn published() -> Result<Vec<Package>> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&command::output(&mut metadata)?)
        .context("`cargo metadata` did not print JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // `publish = false` is an empty list of registries
    let published = packages.filter(|package| package["publish"].is_null());
    published
        .map(|package| {
            let text = |member: &str| {
                let text = package[member].as_str();
                text.with_context(|| format!("`cargo metadata` printed no `{member}`"))
            };
            Ok(Package {
                name: text("name")?.to_owned(),
                listing: PathBuf::from(text("manifest_path")?).with_file_name("public-api.txt"),
            })
        })
        .collect()
}

/// Installs the tool below the target directory, unless that version is there.
fn install(workspace: &Workspace) -> Result<()> {
    // not optimized: compiling the tool then takes half the time, and most of a run is rustdoc
    command::status(
        without_flags(&mut cargo())
            .args(["install", "--quiet", "--locked", "--debug", TOOL, "--root"])
            .arg(workspace.tools()),
    )
}

/// Returns every public item on a line of its own, with all features. Blanket implementations and those of
/// auto traits are left out.
fn listing(workspace: &Workspace, package: &str) -> Result<String> {
    let mut tool = Command::new(workspace.tools().join("bin/cargo-public-api"));
    without_flags(&mut tool)
        .args(["public-api", "--all-features", "--color", "never"])
        .args(["--omit", "blanket-impls,auto-trait-impls"])
        .args(["--package", package, "--target-dir"])
        .arg(workspace.tools().join("public-api"))
        .current_dir(workspace.root());
    command::output(&mut tool)
}

/// Removes the caller's flags, with which cargo would build everything once more.
fn without_flags(command: &mut Command) -> &mut Command {
    command.env_remove("RUSTFLAGS").env_remove("RUSTDOCFLAGS")
}

/// Returns the lines that only one of the texts has, in the notation of `diff`.
fn difference(committed: &str, found: &str) -> String {
    let mut lines = String::new();
    let mut add = |sign, of: &str, not_in: &str| {
        let known: Vec<_> = not_in.lines().collect();
        for line in of.lines().filter(|line| !known.contains(line)) {
            lines.push_str(&format!("{sign} {line}\n"));
        }
    };
    add('-', committed, found);
    add('+', found, committed);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_removed_and_added_lines() {
        let committed = "pub fn a()\npub fn b()\n";
        assert_eq!(difference(committed, committed), "");
        assert_eq!(
            difference(committed, "pub fn a()\npub fn b(u8)\n"),
            "- pub fn b()\n+ pub fn b(u8)\n"
        );
    }
}
