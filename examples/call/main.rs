//! curl with client credentials: try your provider before you write code.
//!
//! ```text
//! export AUTH_CLIENT_SECRET=…
//! cargo run --example call -- --provider signicat --client-id ID https://api.signicat.com/…
//! cargo run --example call -- --help
//! ```

mod args;
#[path = "../common/counting_source.rs"]
mod counting_source;
mod credentials;
mod failure;
mod load;
mod progress;
mod report;
mod schedule;
mod stack;
mod tally;
mod target;
mod tls;

use std::{env, process::ExitCode, sync::Arc};

use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

use args::Args;
use counting_source::TokenRequestCount;
use report::Report;
use schedule::Schedule;
use stack::Stack;
use tally::Tally;
use target::Target;
use tls::Tls;

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => error.exit(), // --help
        Err(error) => return end(2, &args::one_line(&error)),
    };
    if env::var_os(EnvFilter::DEFAULT_ENV).is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let token_requests = TokenRequestCount::default();
    let stack = match prepare(&args, &token_requests) {
        Ok(stack) => stack,
        Err(error) => return end(2, &format!("{error:#}")),
    };
    match run(&args, stack, &token_requests).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => end(1, &format!("{error:#}")),
    }
}

/// Everything that can be wrong before the first request.
fn prepare(args: &Args, token_requests: &TokenRequestCount) -> anyhow::Result<Arc<dyn Stack>> {
    let target = Target::new(args)?;
    let tls = Tls::new(args.ca.as_deref())?;
    let credentials = credentials::builder(args)?;
    stack::new(args.stack, &target, &tls, credentials, token_requests)
}

/// Whether every request succeeded.
async fn run(
    args: &Args,
    stack: Arc<dyn Stack>,
    token_requests: &TokenRequestCount,
) -> anyhow::Result<bool> {
    let tally = Arc::new(Tally::new(progress::bar(args)?)?);
    let start = Instant::now();
    load::run(stack, Schedule::new(args, start), args.concurrency, &tally).await?;
    let elapsed = start.elapsed();
    let report = Report {
        counts: &tally.finish(),
        token_requests,
        elapsed,
    };
    if args.json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    for failure in report.failures() {
        eprintln!("call: {failure}");
    }
    Ok(report.all_succeeded())
}

fn end(status: u8, why: &str) -> ExitCode {
    eprintln!("call: {why}");
    ExitCode::from(status)
}
