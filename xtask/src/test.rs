//! `cargo xtask test`: every test there is.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::{
    command,
    interop::Interop,
    plain_redis::PlainRedis,
    workspace::{Workspace, cargo},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test --workspace --all-features`
    #[arg(last = true, value_name = "CARGO TEST ARGUMENTS")]
    cargo_test: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let interop = Interop::install(&workspace)?;
    let redis = PlainRedis::start(interop.redis())?;
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features"])
            .args(&arguments.cargo_test)
            .envs(interop.environment())
            .env("AUTH_TEST_REDIS_URL", redis.url())
            .current_dir(workspace.root()),
    )?;
    drop(redis);
    if !arguments.cargo_test.is_empty() {
        return Ok(());
    }
    // these bound latency, at modest rates
    under_load(&workspace, &interop, "under_load::refresh::", 3)?;
    // these make as many requests as go, and bound none of them
    under_load(&workspace, &interop, "under_load::rejection::", 2)?;
    // eight processes, and no bound on latency either
    under_load(&workspace, &interop, "shared_token::processes::", 1)?;
    // cargo builds the examples with the tests, but runs the tests in them only when asked
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features", "--examples"])
            .current_dir(workspace.root()),
    )
}

/// Runs the tests of `module` that ordinary runs ignore, so many at a time, and shows their figures.
fn under_load(
    workspace: &Workspace,
    interop: &Interop,
    module: &str,
    at_a_time: usize,
) -> Result<()> {
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features", "--test", "interop"])
            .arg(module)
            .args(["--", "--ignored", "--show-output"])
            .arg(format!("--test-threads={at_a_time}"))
            .envs(interop.environment())
            .current_dir(workspace.root()),
    )
}
