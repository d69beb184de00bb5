//! Calls an API with an access token of any authorization server, from the command line. It tests
//! an authorization server's settings without a program.
//!
//! ```text
//! export AUTH_CLIENT_SECRET=…
//! cargo run --example call -- --provider signicat --client-id ID https://api.signicat.com/…
//! cargo run --example call -- --help
//! ```

mod args;
mod authentication;
mod credentials;
mod failure;
mod grant;
mod grpc;
mod load;
mod progress;
mod refresh_token_file;
mod report;
mod response;
mod results;
mod schedule;
mod shared_store;
mod stack;
mod target;
mod tenants;
mod text;
mod tls;
mod token_request_count;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

use args::Args;
use credentials::Credentials;
use grant::Grant;
use report::Report;
use results::Results;
use schedule::Schedule;
use target::Target;
use tenants::Tenants;
use tls::Tls;
use token_request_count::TokenRequestCount;

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
            .with_writer(io::stderr)
            .init();
    }
    let token_requests = TokenRequestCount::default();
    let tenants = match prepare(&args, &token_requests) {
        Ok(tenants) => Arc::new(tenants),
        Err(error) => return end(2, &format!("{error:#}")),
    };
    match run(&args, tenants, &token_requests).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => end(1, &format!("{error:#}")),
    }
}

/// Creates the tenants. Errors of the configuration are found here, before the first request.
fn prepare(args: &Args, token_requests: &TokenRequestCount) -> anyhow::Result<Tenants> {
    let target = Target::new(args)?;
    let certificate = authentication::certificate(&args.client)?;
    let tls = Tls::new(args.ca.as_deref(), certificate.as_ref())?;
    let credentials = Credentials::new(&args.client, certificate)?;
    let tenants = stack::tenants(args, &target, &tls, credentials, token_requests)?;
    Ok(Tenants::new(tenants))
}

/// Returns whether every request succeeded.
async fn run(
    args: &Args,
    tenants: Arc<Tenants>,
    token_requests: &TokenRequestCount,
) -> anyhow::Result<bool> {
    let shows_body = !args.json && args.requests() == Some(1);
    let results = Arc::new(Results::new(progress::bar(args)?)?);
    let start = Instant::now();
    let schedule = Schedule::new(args, start);
    load::run(
        Arc::clone(&tenants),
        schedule,
        args.concurrency,
        shows_body,
        &results,
    )
    .await?;
    let elapsed = start.elapsed();
    if args.redis.is_some() {
        tenants.flush().await;
    }
    let grant = match args.json {
        true => None,
        false => {
            let is_shared = args.redis.is_some();
            Grant::current(tenants.first(), args.client.scope.as_deref(), is_shared).await
        }
    };
    let report = Report {
        counts: &results.finish(),
        token_requests,
        replays: tenants.replays(),
        tokens_from_shared_store: tenants.tokens_from_shared_store(),
        shared_store_failures: tenants.shared_store_failures(),
        grant,
        elapsed,
    };
    let printed = match args.json {
        true => writeln!(io::stdout(), "{}", report.json()),
        false => print(&report, shows_body),
    };
    let _ = printed; // fails if stdout is closed
    for failure in report.failures() {
        print_error(&failure);
    }
    Ok(report.all_succeeded())
}

/// Prints the body of the only response, if `shows_body`, and then the report.
fn print(report: &Report<'_>, shows_body: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if shows_body {
        let body = &report.counts.body;
        stdout.write_all(body)?;
        if body.last().is_some_and(|last| *last != b'\n') {
            writeln!(stdout)?;
        }
    }
    writeln!(stdout, "{report}")
}

fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "call: {message}"); // fails if stderr is closed
}

fn end(status: u8, message: &str) -> ExitCode {
    print_error(message);
    ExitCode::from(status)
}
