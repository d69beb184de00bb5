//! `cargo xtask test`: runs every test.

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
    if !arguments.cargo_test.is_empty() {
        return Ok(());
    }
    // unit tests of auth-redis that need a server
    command::status(
        cargo()
            .args([
                "test",
                "--package",
                "auth-redis",
                "--lib",
                "--",
                "--ignored",
            ])
            .env("AUTH_TEST_REDIS_URL", redis.url())
            .current_dir(workspace.root()),
    )?;
    drop(redis);
    // these tests assert a latency, at moderate request rates
    under_load(&workspace, &interop, "under_load::refresh::", 3)?;
    // these tests send as many requests as possible, and assert no latency
    under_load(&workspace, &interop, "under_load::rejection::", 2)?;
    // likewise, for 35 s
    under_load(&workspace, &interop, "under_load::nonces::", 1)?;
    // eight processes, and no assertion about latency
    under_load(&workspace, &interop, "shared_token::processes::", 1)?;
    // cargo builds the examples with the tests, and runs their tests only with `--examples`
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features", "--examples"])
            .current_dir(workspace.root()),
    )
}

/// Runs the tests of `module` that ordinary runs ignore, at most `at_a_time` at once, and shows their
/// figures.
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
