//! `cargo xtask test`: every test there is.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::{
    command,
    interop::Interop,
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
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features"])
            .args(&arguments.cargo_test)
            .envs(interop.environment())
            .current_dir(workspace.root()),
    )?;
    if !arguments.cargo_test.is_empty() {
        return Ok(());
    }
    under_load(&workspace, &interop)?;
    // cargo builds the examples with the tests, but runs the tests in them only when asked
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features", "--examples"])
            .current_dir(workspace.root()),
    )
}

/// What bounds latency runs beside nothing else, and shows its figures.
fn under_load(workspace: &Workspace, interop: &Interop) -> Result<()> {
    command::status(
        cargo()
            .args(["test", "--workspace", "--all-features", "--test", "interop"])
            .args([
                "under_load::",
                "--",
                "--ignored",
                "--show-output",
                "--test-threads=3",
            ])
            .envs(interop.environment())
            .current_dir(workspace.root()),
    )
}
