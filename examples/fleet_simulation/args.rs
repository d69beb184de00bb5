use std::path::PathBuf;

use clap::Parser;

/// Simulates a fleet of processes with real token caches, over a day and during an outage of the
/// authorization server.
///
/// Writes the token requests over time as plots, and prints them as Markdown tables.
#[derive(Clone, Debug, Parser)]
#[command(name = "fleet_simulation")]
pub(crate) struct Args {
    /// Number of processes
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = processes)]
    pub(crate) processes: usize,

    /// Length of the day, in simulated hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(4..=168))]
    pub(crate) hours: u64,

    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Directory of the plots
    #[arg(long, value_name = "DIRECTORY", default_value = "docs")]
    pub(crate) output: PathBuf,
}

fn processes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(processes @ 10..=100_000) => Ok(processes),
        _ => Err("expected a number from 10 to 100000".to_owned()),
    }
}
