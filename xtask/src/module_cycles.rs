//! `cargo xtask module-cycles`: no module of a crate depends on a module that depends on it.
//!
//! The rule: a module with everything below it is one unit. Within every module, its own code and the
//! units of its children form a graph, and that graph has no cycle. A unit `a` depends on a unit `b` if
//! code in `a` names an item that is defined in `b`. The name is followed through `use` and through
//! re-exports to the module that defines the item, so `use crate::Error` depends on `error` and not on
//! `lib.rs`. A re-export alone is no dependency, and neither is `mod a;`. Code under `cfg(test)` is left
//! out.
//!
//! The tool sees imports (`crate`, `self`, `super`, renamed, nested, glob), paths in expressions, types,
//! patterns and macro arguments, and methods and associated functions whose type is written down:
//! `Type::f()`, `Self::f()`, and `f` called on `self`, on a parameter or on their fields. An `impl` block
//! in another module than its type counts as that other module. It does not see methods on
//! values whose type has to be inferred, methods of traits, and the expansion of a `macro_rules!` macro.
//!
//! A type and its builder need no cycle: `fn builder()` of the type stands in an `impl` block beside the
//! builder, and the module of the type does not name the builder.
//!
//! `cargo modules dependencies --acyclic` is not used: its graph is one of items, in which a type owns its
//! functions and these use the type. Version 0.27 therefore reports `SecretString` and
//! `SecretString::expose` as a cycle, and stops there, whatever `--no-fns` and `--no-types` say.

mod folders;
mod graph;
mod names;
mod source;
#[cfg(test)]
mod tests;
mod uses;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{
    command,
    workspace::{Workspace, cargo},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Packages to check; all packages of the workspace if none is named
    packages: Vec<String>,
    /// Prints every line that causes a dependency on a cycle, not only the shortest cycle
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let mut failed = Vec::new();
    for krate in crates(&arguments.packages)? {
        let modules = source::read(&krate.root, &|file| fs::read_to_string(file))
            .with_context(|| format!("reading the modules of {}", krate.name))?;
        let uses = uses::find(&modules);
        let cycles = folders::cycles(&modules, &uses);
        if cycles.is_empty() {
            println!("{}: {} modules, no cycle", krate.name, modules.len());
            continue;
        }
        println!(
            "{}: {} modules, cycles between them:",
            krate.name,
            modules.len()
        );
        for cycle in &cycles {
            print!("{}", cycle.report(workspace.root(), arguments.all));
        }
        failed.push(krate.name);
    }
    if !failed.is_empty() {
        bail!(
            "modules depend on each other in {}; move what both need into a module below them \
             (`cargo xtask module-cycles --all` prints every line on a cycle)",
            failed.join(", ")
        );
    }
    Ok(())
}

struct Crate {
    name: String,
    root: PathBuf,
}

/// The libraries and programs of the workspace.
fn crates(named: &[String]) -> Result<Vec<Crate>> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&command::output(&mut metadata)?)
        .context("`cargo metadata` did not print JSON")?;
    let mut crates = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if !named.is_empty() && !named.iter().any(|named| named == name) {
            continue;
        }
        for target in package["targets"].as_array().into_iter().flatten() {
            let kind = target["kind"][0].as_str().unwrap_or_default();
            if let ("lib" | "bin", Some(root)) = (kind, target["src_path"].as_str()) {
                crates.push(Crate {
                    name: name.to_owned(),
                    root: PathBuf::from(root),
                });
            }
        }
    }
    for named in named {
        if !crates.iter().any(|krate| krate.name == *named) {
            bail!("the workspace has no library or program in a package `{named}`");
        }
    }
    Ok(crates)
}
