//! The machine's Python, with the fixtures' packages in a virtual environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{command, once, version::major_minor};

const MINIMUM: (u32, u32) = (3, 9);
const WHAT_TO_INSTALL: &str =
    "install Python 3.9 or newer with venv and pip, for example `apt install python3-venv`";

/// The machine's `python3`.
#[derive(Debug)]
pub(crate) struct System {
    version: String,
}

impl System {
    /// # Errors
    ///
    /// If there is none, or it is too old.
    pub(crate) fn find() -> Result<Self> {
        let version = command::output(python3().arg("--version"))
            .with_context(|| format!("the interop tests need `python3`; {WHAT_TO_INSTALL}"))?;
        let version = version.trim().to_owned();
        if major_minor(&version).is_none_or(|found| found < MINIMUM) {
            bail!("`python3 --version` printed `{version}`; {WHAT_TO_INSTALL}");
        }
        Ok(Self { version })
    }

    /// Makes a virtual environment in `directory` with the packages of a requirements file.
    pub(crate) fn venv(&self, directory: &Path, requirements: &Path) -> Result<Venv> {
        let interpreter = directory.join("bin/python");
        let venv = Venv { interpreter };
        let packages = fs::read_to_string(requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let inputs = format!("{}\n{packages}", self.version);
        once::install(directory, &inputs, "installing Python packages", || {
            create(directory)?;
            let packages = venv.packages()?;
            venv.pip_install(&packages, &["--requirement".as_ref(), requirements])
        })?;
        Ok(venv)
    }
}

/// A virtual environment. It has no pip where Debian has a separate package for pip.
#[derive(Debug)]
pub(crate) struct Venv {
    interpreter: PathBuf,
}

impl Venv {
    pub(crate) fn interpreter(&self) -> &Path {
        &self.interpreter
    }

    /// Installs wheels into the directory `target`. A build from source would need compilers and take
    /// minutes.
    pub(crate) fn pip_install(&self, target: &Path, what: &[&Path]) -> Result<()> {
        let mut pip = self.pip()?;
        pip.args(["install", "--quiet", "--only-binary", ":all:", "--target"])
            .arg(target)
            .args(what);
        command::output(&mut pip).map(drop)
    }

    /// Returns the environment's pip, otherwise the machine's. With `--target` both work.
    fn pip(&self) -> Result<Command> {
        for mut python in [Command::new(&self.interpreter), python3()] {
            python.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
            let program = python.get_program().to_owned();
            let mut probe = Command::new(program);
            if command::output(probe.args(["-m", "pip", "--version"])).is_ok() {
                return Ok(python);
            }
        }
        bail!("`python3` has neither ensurepip nor pip; {WHAT_TO_INSTALL}")
    }

    fn packages(&self) -> Result<PathBuf> {
        let script = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let path = command::output(Command::new(&self.interpreter).args(["-c", script]))?;
        Ok(path.trim().into())
    }
}

fn create(directory: &Path) -> Result<()> {
    let with_pip = command::output(python3().args(["-m", "venv"]).arg(directory));
    if with_pip.is_ok() {
        return Ok(());
    }
    let mut without_pip = python3();
    without_pip
        .args(["-m", "venv", "--clear", "--without-pip"])
        .arg(directory);
    command::output(&mut without_pip)
        .map(drop)
        .context(WHAT_TO_INSTALL)
}

fn python3() -> Command {
    Command::new("python3")
}
