//! The directories of the workspace and of its build.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command;

#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Locates the workspace by cargo, which evaluates `CARGO_TARGET_DIR` and `build.target-dir`.
    pub(crate) fn locate() -> Result<Self> {
        let mut metadata = cargo();
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&command::output(&mut metadata)?)
            .context("`cargo metadata` did not print JSON")?;
        let path = |member: &str| {
            metadata[member]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` printed no `{member}`"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory for programs that the tasks call. `cargo clean` removes it.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The directory for everything that the interop tests need. `cargo clean` removes it.
    pub(crate) fn interop(&self) -> PathBuf {
        self.target.join("interop")
    }
}

/// Returns the cargo that runs this program, so that a `+toolchain` also holds for the commands that it
/// starts.
///
/// The variables that `cargo run` sets for this package are removed. Build scripts that read them, such as
/// ring's, would take them for a change, and their dependents would be built again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let about_us =
            |name: &str| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_");
        if name.to_str().is_some_and(about_us) {
            cargo.env_remove(&name);
        }
    }
    cargo
}
