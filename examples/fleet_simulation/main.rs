//! Simulates a fleet of 10,000 processes, each with a real token cache: over a day, and during an outage
//! of the authorization server.
//!
//! ```text
//! cargo run --release --example fleet_simulation
//! ```
//!
//! Writes the plots of `docs/fleet.md` and prints its tables.

mod args;
mod day;
mod outage;
mod plot;
mod progress;

use std::{process::ExitCode, time::Instant};

use anyhow::Context;
use clap::Parser;
use indicatif::HumanDuration;

use args::Args;
use progress::run_all;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet_simulation: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let started = Instant::now();
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("expected a directory at {}", args.output.display()))?;
    let (days, outages) = (day::scenarios(args)?, outage::scenarios(args)?);
    let first_outage = days.len();
    let runs = run_all(days.into_iter().chain(outages).collect())?;
    let (days, outages) = runs.split_at(first_outage);

    plot::day(&args.output.join("fleet-day.svg"), days)?;
    plot::periods(&args.output.join("fleet-periods.svg"), days)?;
    plot::outage(&args.output.join("fleet-outage.svg"), outages)?;
    println!("{}\n{}", day::table(days), outage::table(outages));
    eprintln!(
        "The plots are in {}. The simulations took {}.",
        args.output.display(),
        HumanDuration(started.elapsed())
    );
    Ok(())
}
