//! Where the workspace and its build directory are.

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
    /// Asks cargo, which knows `CARGO_TARGET_DIR` and `build.target-dir` better than we do.
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

    /// Where programs that the tasks call are installed: `cargo clean` removes them.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Where everything for the interop tests is installed: `cargo clean` takes it away again.
    pub(crate) fn interop(&self) -> PathBuf {
        self.target.join("interop")
    }
}

/// The cargo that runs us, so that a `+toolchain` holds for what we start, too.
///
/// What `cargo run` told us about our own package is kept from it: build scripts that look at those
/// variables (ring's does) would take them for a change, and everything above would be built again.
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
