//! Counts the token requests of 32 concurrent callers without a token, with a source that fails after
//! 50 ms.
//!
//! All callers wait before the source fails for the first time.

use std::{future::Future, thread};

use peers::{
    failing::{Failure, Source},
    libraries::{
        aliri_tokens, auth_core, aws_smithy_runtime, azure_core, gcp_auth, google_cloud_auth,
        huskarl, middle,
    },
};
use tokio::runtime::Builder;

struct Row {
    name: &'static str,
    unavailable: Source,
    denied: Source,
}

fn run(source: impl Future<Output = Source>) -> Source {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(source)
}

fn row<F: Future<Output = Source>>(
    name: &'static str,
    failing: impl Fn(Failure) -> F + Sync,
) -> Row {
    // a library takes up to half a minute for one failure
    let (unavailable, denied) = thread::scope(|scope| {
        let unavailable = scope.spawn(|| run(failing(Failure::Unavailable)));
        let denied = run(failing(Failure::Denied));
        (unavailable.join().expect("no panic"), denied)
    });
    Row {
        name,
        unavailable,
        denied,
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
        "", "callers", "unavailable", "denied"
    );
    for Row {
        name,
        unavailable,
        denied,
    } in &rows
    {
        let (callers, unavailable) = (unavailable.callers(), unavailable.requests());
        println!(
            "{name:20}{callers:>9}{unavailable:>13}{:>9}",
            denied.requests()
        );
    }
    let [ours, _, _, _, gcp, ..] = &rows;
    println!(
        "gcp_auth tries five times: of its requests {} and {} were different",
        gcp.unavailable.different_requests(),
        gcp.denied.different_requests()
    );
    assert_eq!(1, ours.unavailable.requests());
    assert_eq!(1, ours.denied.requests());
}
