//! The project's own tasks. Each task does its own set-up, so that a fresh clone on a fresh machine needs
//! nothing but `cargo xtask …`.

mod bench_report;
mod certificates;
mod command;
mod fixtures;
mod interop;
mod module_cycles;
mod node;
mod once;
mod plain_redis;
mod public_api;
mod python;
mod redis;
mod rivals;
mod test;
mod valkey;
mod version;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about = "The project's own tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Prints the last figures of the benches and their bars, as a Markdown table
    BenchReport(bench_report::Arguments),
    /// Fails if modules of a crate depend on each other, and prints the lines that cause it
    ModuleCycles(module_cycles::Arguments),
    /// Writes the public API of each published crate to its public-api.txt
    PublicApi(public_api::Arguments),
    /// Runs every test, also those against third-party servers, after installing what they need
    Test(test::Arguments),
    /// Installs what the interop tests need, and prints the variables that they read
    ///
    /// To run one test by hand: eval "$(cargo xtask interop-setup)", then
    /// cargo test --features interop --test interop NAME
    #[command(verbatim_doc_comment)]
    InteropSetup,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::BenchReport(arguments) => bench_report::run(&arguments),
        Task::ModuleCycles(arguments) => module_cycles::run(&arguments),
        Task::PublicApi(arguments) => public_api::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::InteropSetup => interop::print_environment(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
