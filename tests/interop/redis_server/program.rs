//! The server programs, and their paths.

use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// The `redis-server` of the machine. Debian's is built with TLS.
    Redis,
    /// Valkey from the Python package index, which is built without TLS.
    Valkey,
}

impl Program {
    pub(crate) fn path(self) -> Result<OsString> {
        let name = match self {
            Self::Redis => "INTEROP_REDIS",
            Self::Valkey => "INTEROP_VALKEY",
        };
        env::var_os(name).with_context(|| format!("{name} is not set: run `cargo xtask test`"))
    }

    /// Returns the version that the program prints, such as `7.0.15`.
    pub(crate) fn version(self) -> Result<String> {
        let path = self.path()?;
        let output = Command::new(&path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", path.display()))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{} --version failed: {printed}",
            path.display()
        );
        let version = printed
            .split_whitespace()
            .find_map(|w| w.strip_prefix("v="));
        version
            .map(str::to_owned)
            .with_context(|| format!("{} --version: expected v=…, got {printed}", path.display()))
    }
}
