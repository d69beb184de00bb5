//! Calls a protected API through hyper, reqwest and tonic, and shows how few token requests that
//! takes.
//!
//! Without arguments the authorization server and the API run inside this process:
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! With `AUTH_TOKEN_URL`, `AUTH_CLIENT_ID`, `AUTH_CLIENT_SECRET`, `API_URL` and, as needed,
//! `AUTH_SCOPE` and `GRPC_URL` set, it calls the real thing.

mod explanation;
mod load;
mod place;
mod stacks;
mod table;
mod tokens;

use std::process::ExitCode;

use clap::Parser;

use load::{Load, Outcome};
use place::Place;

/// Calls a protected API through hyper, reqwest and tonic.
///
/// Without environment variables both the authorization server and the API run inside this process.
/// With AUTH_TOKEN_URL, AUTH_CLIENT_ID, AUTH_CLIENT_SECRET, API_URL and, as needed, AUTH_SCOPE and
/// GRPC_URL set, the real ones are called.
#[expect(clippy::doc_markdown, reason = "the text of --help")]
#[derive(Debug, Parser)]
#[command(name = "quickstart")]
struct Args {
    /// Requests through each stack, 100 at a time [default: 1000, to the real thing 1]
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

/// Whether every request succeeded.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let place = Place::find().await?;
    let load = Load {
        requests: args.requests.unwrap_or(place.default_requests()),
        at_a_time: 100,
    };
    println!("{place}\n");

    let mut outcomes = vec![
        stacks::hyper(&place, &load).await?,
        stacks::reqwest(&place, &load).await?,
    ];
    outcomes.extend(stacks::tonic(&place, &load).await?);

    println!("{}", table::of(&outcomes));
    let succeeded = outcomes.iter().all(Outcome::all_succeeded);
    if succeeded {
        println!("{}", explanation::of(&outcomes, &place));
    }
    for outcome in &outcomes {
        if let Some(error) = &outcome.first_error {
            eprintln!("{}: no answer: {error}", outcome.stack);
        }
    }
    Ok(succeeded)
}
