use std::path::PathBuf;

use clap::Parser;

/// A fleet of processes in simulated time, each with a real token cache: how many token requests it
/// makes over a day, and how it comes through an outage of the authorization server.
///
/// Writes plots, and prints what stands in them as tables in Markdown.
#[derive(Clone, Debug, Parser)]
#[command(name = "fleet_simulation")]
pub(crate) struct Args {
    /// Processes in the fleet
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = processes)]
    pub(crate) processes: usize,

    /// How long the day is, in simulated hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(4..=168))]
    pub(crate) hours: u64,

    /// Seeds everything that is drawn at random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where the plots go
    #[arg(long, value_name = "DIRECTORY", default_value = "docs")]
    pub(crate) output: PathBuf,
}

fn processes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(processes @ 10..=100_000) => Ok(processes),
        _ => Err("expected 10 to 100000".to_owned()),
    }
}
