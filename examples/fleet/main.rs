//! Runs a fleet on one machine: processes that share one token through Redis. During the run some of
//! the processes are killed and restarted, and so is Redis.
//!
//! ```text
//! cargo run --example fleet
//! REDIS_URL=rediss://user:password@host:6379 cargo run --example fleet
//! ```
//!
//! The authorization server and the API run in this process. Without `REDIS_URL` it starts a
//! `redis-server`, which must be on the PATH.

mod process;
mod scenario;
mod servers;
mod table;
mod worker;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{self, SignalKind};

use local_redis::Redis;
use scenario::Scenario;
use servers::Servers;

/// Runs processes that share one token through Redis, and kills some of them and Redis meanwhile.
///
/// The exit status is 0 if all requests succeeded, 1 if a request failed, 2 if the fleet could not
/// run.
#[derive(Debug, Parser)]
#[command(name = "fleet")]
struct Args {
    /// Number of processes
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=100))]
    processes: u16,

    /// Number of tasks in each process; a task sends five requests a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    tasks: u16,

    /// Lifetime of a token
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    lifetime: Duration,

    /// Length of the run
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = humantime::parse_duration)]
    duration: Duration,

    /// Runs without Redis: each process requests its own tokens
    #[arg(long)]
    no_redis: bool,

    /// Runs one process of the fleet
    #[arg(long, hide = true)]
    worker: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.worker {
        true => worker::run(args.tasks.into()).await,
        // dropping `run` kills the processes it started and removes its directory
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

/// Waits for SIGINT or SIGTERM.
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

/// Returns whether every request succeeded.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let servers = Servers::start(args.lifetime).await?;
    let redis = match args.no_redis {
        true => None,
        false => {
            let redis = Redis::find(servers.directory()).await;
            Some(redis.context("Redis is not available; --no-redis runs the fleet without it")?)
        }
    };
    println!("{}", servers.description(args, redis.as_ref()));
    let mut scenario = Scenario::start(args, &servers, redis)?;
    scenario.run(args.duration).await?;
    let summary = scenario.stop().await?;
    println!("{}", summary.text(&servers, args));
    Ok(summary.failed() == 0)
}
