//! 32 callers at once, no token, and a source that fails after 50 ms: how often is it asked?
//!
//! All callers are known to be waiting before the source fails for the first time.

use std::{future::Future, thread};

use peers::{
    failing::{Failure, Source},
    rivals::{
        aliri_tokens, auth_core, aws_smithy_runtime, azure_core, gcp_auth, google_cloud_auth,
        huskarl, middle,
    },
};
use tokio::runtime::Builder;

struct Row {
    name: &'static str,
    unavailable: Source,
    refused: Source,
}

fn run(source: impl Future<Output = Source>) -> Source {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(source)
}

fn row<F: Future<Output = Source>>(
    name: &'static str,
    failing: impl Fn(Failure) -> F + Sync,
) -> Row {
    // one of them takes half a minute
    let (unavailable, refused) = thread::scope(|scope| {
        let unavailable = scope.spawn(|| run(failing(Failure::Unavailable)));
        let refused = run(failing(Failure::Refused));
        (unavailable.join().expect("no panic"), refused)
    });
    Row {
        name,
        unavailable,
        refused,
    }
}

fn main() {
    let rows = [
        row("auth_core", auth_core::failing),
        row("aliri_tokens", aliri_tokens::failing),
        row("aws_smithy_runtime", aws_smithy_runtime::failing),
        row("azure_core", azure_core::failing),
        row("gcp_auth", gcp_auth::failing),
        row("google_cloud_auth", google_cloud_auth::failing),
        row("huskarl", huskarl::failing),
        row("middle", middle::failing),
    ];
    println!(
        "{:20}{:>9}{:>13}{:>9}",
        "", "callers", "unavailable", "refused"
    );
    for Row {
        name,
        unavailable,
        refused,
    } in &rows
    {
        let (callers, unavailable) = (unavailable.callers(), unavailable.requests());
        println!(
            "{name:20}{callers:>9}{unavailable:>13}{:>9}",
            refused.requests()
        );
    }
    let [ours, _, _, _, gcp, ..] = &rows;
    println!(
        "gcp_auth tries five times: its requests were {} and {} flights",
        gcp.unavailable.different_requests(),
        gcp.refused.different_requests()
    );
    assert_eq!(1, ours.unavailable.requests());
    assert_eq!(1, ours.refused.requests());
}
