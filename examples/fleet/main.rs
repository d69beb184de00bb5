//! A fleet on one machine: processes that share one token through Redis, while some of them are
//! killed, and Redis is killed too.
//!
//! ```text
//! cargo run --example fleet
//! REDIS_URL=rediss://user:password@host:6379 cargo run --example fleet
//! ```
//!
//! The authorization server and the API run inside this process. Without `REDIS_URL` it starts a
//! `redis-server`, which has to be on the PATH.

mod place;
mod process;
mod story;
mod table;
mod worker;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tokio::signal::unix::{self, SignalKind};

use local_redis::Redis;
use place::Place;
use story::Story;

/// Processes that share one token through Redis, while some are killed, and Redis too.
///
/// The exit status is 0 if not one request failed.
#[derive(Debug, Parser)]
#[command(name = "fleet")]
struct Args {
    /// How many processes
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=100))]
    processes: u16,

    /// How many tasks each has; a task makes five requests a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    tasks: u16,

    /// The lifetime of a token
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    lifetime: Duration,

    /// How long it goes on; a minute or more shows several renewals
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = humantime::parse_duration)]
    duration: Duration,

    /// Shares nothing: each process asks for its own tokens
    #[arg(long)]
    no_redis: bool,

    /// What a process of the fleet is started with
    #[arg(long, hide = true)]
    worker: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.worker {
        true => worker::run(args.tasks.into()).await,
        // what it has started, and its directory, end with it
        false => tokio::select! {
            outcome = run(&args) => outcome,
            signal = signal() => Err(signal),
        },
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fleet: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Waits until somebody wants this to end.
async fn signal() -> anyhow::Error {
    let terminate = async {
        match unix::signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => anyhow::anyhow!("interrupted"),
        _ = terminate => anyhow::anyhow!("terminated"),
    }
}

/// Whether every request succeeded.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let place = Place::start(args.lifetime).await?;
    let redis = match args.no_redis {
        true => None,
        false => Some(Redis::find(place.directory()).await?),
    };
    println!("{}", place.explanation(args, redis.as_ref()));
    let mut story = Story::begin(args, &place, redis)?;
    story.tell(args.duration).await?;
    let summary = story.end().await?;
    println!("{}", summary.text(&place, args));
    Ok(summary.failed() == 0)
}
