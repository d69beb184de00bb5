//! Redis: that of the machine, otherwise Debian's package.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{command, version::major_minor};

const PROGRAM: &str = "redis-server";
/// The first version with users (ACL), and the one that the store's documentation names.
const MINIMUM: (u32, u32) = (6, 0);
/// The wheels of the Python package index are built without TLS.
const WHAT_TO_INSTALL: &str = "install Redis 6 or newer, built with TLS, for example \
                               `apt install redis-server` (as root on Debian, this task does)";

/// Returns the machine's `redis-server`. As root on Debian, installs it.
///
/// # Errors
///
/// If there is none or it is too old, and it cannot be installed.
pub(crate) fn server() -> Result<PathBuf> {
    if let Err(missing) = on_path() {
        if !apt_may_install() {
            return Err(missing);
        }
        eprintln!("interop: installing {PROGRAM} by apt");
        apt_install().context(WHAT_TO_INSTALL)?;
        on_path()?;
    }
    Ok(PROGRAM.into())
}

fn on_path() -> Result<()> {
    let printed = command::output(Command::new(PROGRAM).arg("--version"))
        .with_context(|| format!("the interop tests need `{PROGRAM}`; {WHAT_TO_INSTALL}"))?;
    if redis_version(&printed).is_none_or(|found| found < MINIMUM) {
        let printed = printed.trim();
        bail!("`{PROGRAM} --version` printed `{printed}`; {WHAT_TO_INSTALL}");
    }
    Ok(())
}

/// `None` for Valkey, which some distributions install by this name.
fn redis_version(printed: &str) -> Option<(u32, u32)> {
    let version = printed.strip_prefix("Redis server v=")?;
    major_minor(version.split(' ').next()?)
}

fn apt_may_install() -> bool {
    let root = command::output(Command::new("id").arg("-u"));
    root.is_ok_and(|id| id.trim() == "0")
        && command::output(Command::new("apt-get").arg("--version")).is_ok()
}

fn apt_install() -> Result<()> {
    for arguments in [
        &["update", "-qq"][..],
        &["install", "-y", "-qq", "--no-install-recommends", PROGRAM],
    ] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command::output(&mut apt)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_redis_prints_and_takes_valkey_for_none() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1\n";
        assert_eq!(redis_version(redis), Some((7, 0)));
        let valkey = "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1\n";
        assert_eq!(redis_version(valkey), None);
        assert_eq!(redis_version(""), None);
    }
}
