//! The paths of the installation by `cargo xtask test`, from three environment variables.

use std::{env, ffi::OsString, fs, path::PathBuf};

use anyhow::{Context as _, Result};

/// Returns the script of a fixture. `path` is relative to tests/interop/fixtures.
pub(crate) fn script(path: &str) -> Result<PathBuf> {
    Ok(fixtures()?.join(path))
}

pub(crate) fn node() -> Result<OsString> {
    variable("INTEROP_NODE")
}

pub(crate) fn python() -> Result<OsString> {
    variable("INTEROP_PYTHON")
}

/// Keys and certificates: `ca.crt`; `NAME.crt` and `NAME.key` of `server`, `client` and
/// `selfsigned`; `CLIENT_ID.private.pem` and `CLIENT_ID.private.jwk.json` of the `pk-…` clients.
pub(crate) fn keys_dir() -> Result<PathBuf> {
    script("oidc-provider/keys")
}

/// Returns the CA that signed the certificates of all fixtures with TLS.
pub(crate) fn ca_pem() -> Result<String> {
    let path = keys_dir()?.join("ca.crt");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn fixtures() -> Result<PathBuf> {
    Ok(PathBuf::from(variable("INTEROP_DIR")?).join("fixtures"))
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set: run `cargo xtask test`"))
}
