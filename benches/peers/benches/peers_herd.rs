//! 1,000 tasks wait for the first token: the time from its arrival until the last task has it.
//!
//! The token source holds the first token back until all tasks wait. `gcp_auth` and `google_cloud_auth` request
//! it over HTTP on loopback, and their time includes the response.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{cell::Cell, rc::Rc};

use bench_support::interleaved::{Interleaved, Iterations, record_count};
use bench_support::waiters::{WORKERS, last_of};
use criterion::{Criterion, criterion_group, criterion_main};
use peers::{
    libraries::{
        Awaited, auth_core::AuthCore, aws_smithy_runtime::AwsSmithyRuntime, azure_core::AzureCore,
        gcp_auth::GcpAuth, google_cloud_auth::GoogleCloudAuth, huskarl::Huskarl,
    },
    source::Source,
};

const GROUP: &str = "peers_herd";
const WAITERS: usize = 1_000;
const ROUNDS: usize = 60;

/// Adds a library, and returns its name and the number of its token requests, which is known afterwards.
fn add<L: Awaited>(rounds: &mut Interleaved<'_>) -> (&'static str, Rc<Cell<usize>>) {
    let requests = Rc::new(Cell::new(0));
    let counted = Rc::clone(&requests);
    let once = Iterations::of(1).on(WORKERS);
    let id = format!("{}/{WAITERS}", L::NAME);
    rounds.function(id, once, move |_| {
        let mut source = None;
        let took = last_of(WAITERS, |waiters| {
            let late = source.insert(Source::issuing_late(waiters));
            let library = L::cold(late.clone());
            move || library.clone().token()
        });
        let made = source.map_or(0, |source| source.requests());
        counted.set(counted.get().max(made));
        took
    });
    (L::NAME, requests)
}

fn herd(c: &mut Criterion) {
    let mut rounds = Interleaved::new(GROUP, ROUNDS);
    let all = [
        add::<AuthCore>(&mut rounds),
        add::<AwsSmithyRuntime>(&mut rounds),
        add::<AzureCore>(&mut rounds),
        add::<GcpAuth>(&mut rounds),
        add::<GoogleCloudAuth>(&mut rounds),
        add::<Huskarl>(&mut rounds),
    ];
    for name in all.each_ref().map(|(name, _)| *name).into_iter().skip(1) {
        rounds.figure(format!("{name} over auth_core"), move |round| {
            round.time(&format!("{name}/{WAITERS}")) / round.time(&format!("auth_core/{WAITERS}"))
        });
    }
    let mut group = c.benchmark_group(GROUP);
    rounds.run(&mut group);
    group.finish();
    for (name, requests) in all {
        // criterion's filter may have excluded all
        if requests.get() > 0 {
            let requests = requests.get();
            println!("{GROUP}/{name}: token requests: {requests}");
            record_count(GROUP, &format!("{name}/requests"), requests as f64);
        }
    }
}

criterion_group!(benches, herd);
criterion_main!(benches);
