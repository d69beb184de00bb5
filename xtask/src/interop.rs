//! Installs everything that the interop tests need, in `target/interop`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    certificates, fixtures, node::Node, once, python, redis, valkey, workspace::Workspace,
};

/// An installation that is ready for use.
#[derive(Debug)]
pub(crate) struct Interop {
    directory: PathBuf,
    node: PathBuf,
    python: PathBuf,
    redis: PathBuf,
    valkey: PathBuf,
}

impl Interop {
    /// Brings `target/interop` up to date.
    ///
    /// The fixtures run from a copy, so that the source tree contains neither packages nor keys.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let directory = workspace.interop();
        let fixtures = directory.join("fixtures");
        fixtures::copy(&workspace.root().join("tests/interop/fixtures"), &fixtures)?;

        let system_python = python::System::find()?;
        let python = system_python.venv(
            &directory.join("venv"),
            &fixtures.join("grpc/python/requirements.txt"),
        )?;
        let redis = redis::server()?;
        let valkey = valkey::server(&directory.join("valkey"), &python)?;
        let node = Node::find(&directory.join("node"), &python)?;
        node.install_packages(&fixtures.join("oidc-provider"))?;
        node.install_packages(&fixtures.join("grpc/node"))?;
        install_keys(&fixtures.join("oidc-provider"), &node)?;

        Ok(Self {
            directory,
            node: node.program().to_owned(),
            python: python.interpreter().to_owned(),
            redis,
            valkey,
        })
    }

    pub(crate) fn redis(&self) -> &Path {
        &self.redis
    }

    /// Returns the environment variables that the tests in `tests/interop` read.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 5] {
        [
            ("INTEROP_DIR", &self.directory),
            ("INTEROP_NODE", &self.node),
            ("INTEROP_PYTHON", &self.python),
            ("INTEROP_REDIS", &self.redis),
            ("INTEROP_VALKEY", &self.valkey),
        ]
    }
}

/// Runs `cargo xtask interop-setup`.
pub(crate) fn print_environment() -> Result<()> {
    let interop = Interop::install(&Workspace::locate()?)?;
    for (name, path) in interop.environment() {
        let path = path.display().to_string().replace('\'', r"'\''");
        println!("export {name}='{path}'");
    }
    Ok(())
}

/// Makes the keys and certificates of the authorization server's clients, and of the TLS servers.
fn install_keys(oidc_provider: &Path, node: &Node) -> Result<()> {
    let script = oidc_provider.join("gen-keys.mjs");
    let inputs =
        fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
    let keys = oidc_provider.join("keys");
    once::install(&keys, &inputs, "making keys and certificates", || {
        certificates::write(&keys)?;
        node.run_script(&script)
    })
}
