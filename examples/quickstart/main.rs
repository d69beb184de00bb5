//! Calls a protected API with hyper, reqwest and tonic, and shows that each client needs one token
//! request for 1,000 requests.
//!
//! Without environment variables the authorization server and the API run in this process:
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! To call servers of your own, set `AUTH_TOKEN_URL`, `AUTH_CLIENT_ID`, `AUTH_CLIENT_SECRET`,
//! `API_URL` and, where needed, `AUTH_SCOPE` and `GRPC_URL`.

mod clients;
mod load;
mod servers;
mod summary;
mod table;

use std::process::ExitCode;

use clap::Parser;

use load::{Load, Outcome};
use servers::Servers;

/// Calls a protected API with hyper, reqwest and tonic, and counts the token requests.
///
/// Without environment variables the authorization server and the API run in this process. To call
/// servers of your own, set AUTH_TOKEN_URL, AUTH_CLIENT_ID, AUTH_CLIENT_SECRET, API_URL and, where
/// needed, AUTH_SCOPE and GRPC_URL.
///
/// The exit status is 0 if all requests succeeded, 1 if a request failed, 2 if the configuration is
/// invalid.
#[expect(clippy::doc_markdown, reason = "the text of --help")]
#[derive(Debug, Parser)]
#[command(name = "quickstart")]
struct Args {
    /// Number of requests of each client, of which 100 are in flight at the same time [default:
    /// 1000, with servers of your own 1]
    #[arg(short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether every request succeeded.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let servers = Servers::start().await?;
    let load = Load {
        requests: args.requests.unwrap_or(servers.default_requests()),
        concurrency: 100,
    };
    println!("{servers}\n{load}\n");

    let mut outcomes = vec![
        clients::hyper(&servers, &load).await?,
        clients::reqwest(&servers, &load).await?,
    ];
    outcomes.extend(clients::tonic(&servers, &load).await?);

    println!("{}", table::table(&outcomes));
    let succeeded = outcomes.iter().all(Outcome::all_succeeded);
    if succeeded {
        println!("{}", summary::summary(&outcomes, &servers));
    }
    for outcome in &outcomes {
        if let Some(error) = &outcome.first_error {
            eprintln!("quickstart: {}: {error}", outcome.client);
        }
    }
    Ok(succeeded)
}
