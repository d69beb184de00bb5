//! Counts the token requests of 32 concurrent callers without a token, with a source that fails after
//! 50 ms.
//!
//! All callers wait before the source fails for the first time.

use std::{future::Future, path::Path, thread};

use bench_support::report::{Directory, Error, Rounds};
use peers::{
    libraries::{
        Library, aliri_tokens, aliri_tokens::AliriTokens, auth_core::AuthCore,
        aws_smithy_runtime::AwsSmithyRuntime, azure_core::AzureCore, failing, gcp_auth::GcpAuth,
        google_cloud_auth::GoogleCloudAuth, huskarl::Huskarl, middle, middle::Middle,
    },
    source::{Failure, Source},
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

fn row<L: Library, F: Future<Output = Source>>(failing: impl Fn(Failure) -> F + Sync) -> Row {
    // a library takes up to half a minute for one failure
    let (unavailable, denied) = thread::scope(|scope| {
        let unavailable = scope.spawn(|| run(failing(Failure::Unavailable)));
        let denied = run(failing(Failure::Denied));
        (unavailable.join().expect("no panic"), denied)
    });
    Row {
        name: L::NAME,
        unavailable,
        denied,
    }
}

/// Records the counts beside the files of the benches.
fn record(rows: &[Row]) -> Result<(), Error> {
    let manifest = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let directory = Directory::of(Some(manifest))?;
    for row in rows {
        for (failure, source) in [("unavailable", &row.unavailable), ("denied", &row.denied)] {
            let requests = Rounds::count(source.requests() as f64);
            let id = format!("{}/{failure}", row.name);
            directory.write("peers_failing", &id, &requests)?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let rows = [
        row::<AuthCore, _>(failing::<AuthCore>),
        row::<AliriTokens, _>(aliri_tokens::failing),
        row::<AwsSmithyRuntime, _>(failing::<AwsSmithyRuntime>),
        row::<AzureCore, _>(failing::<AzureCore>),
        row::<GcpAuth, _>(failing::<GcpAuth>),
        row::<GoogleCloudAuth, _>(failing::<GoogleCloudAuth>),
        row::<Huskarl, _>(failing::<Huskarl>),
        row::<Middle, _>(middle::failing),
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
    record(&rows)
}
