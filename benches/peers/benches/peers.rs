//! One read of the cached token by `auth_core` and by other libraries, with 1, 2 and 8 threads.
//!
//! All do the same work: they check that the token has not expired, and return a header that is ready to be
//! sent. The functions whose names end in `_lent` return what a library lends or shares, without a header.
//! Each round measures all libraries in turn, each with a new cache. The time is that of one thread.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use bench_support::interleaved::{Interleaved, Iterations};
use bench_support::threads::on_threads;
use criterion::{Criterion, criterion_group, criterion_main};
use peers::libraries::{
    Lends, Library, aliri_tokens::AliriTokens, auth_core::AuthCore,
    aws_smithy_runtime::AwsSmithyRuntime, azure_core::AzureCore, gcp_auth::GcpAuth,
    google_cloud_auth::GoogleCloudAuth, huskarl::Huskarl, middle::Middle,
    rwlock_by_hand::RwLockByHand,
};
use tokio::runtime::Builder;

const THREADS: [usize; 3] = [1, 2, 8];
const ROUNDS: usize = 40;
/// Where each thread has a processor. Otherwise a batch takes many time slices.
const BATCH: Duration = Duration::from_millis(20);

/// Adds a function that runs a number of reads on each of several threads, each round of a new library.
fn add<L: Library + 'static>(
    peers: &mut Interleaved<'_>,
    name: &'static str,
    run: fn(&L, threads: usize, reads: u64) -> Duration,
) {
    for threads in THREADS {
        let id = format!("{name}/{threads}");
        let batch = Iterations::lasting(BATCH).on(threads);
        peers.function(&id, batch, move |reads| {
            // tasks of the library end with this runtime, which does not run meanwhile
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            run(&runtime.block_on(L::ready()), threads, reads)
        });
        let ours = format!("{}/{threads}", AuthCore::NAME);
        if id != ours {
            peers.figure(format!("{id} over {ours}"), move |round| {
                round.time(&id) / round.time(&ours)
            });
        }
    }
}

fn add_headers<L: Library + 'static>(peers: &mut Interleaved<'_>) {
    add::<L>(peers, L::NAME, |library, threads, reads| {
        on_threads(threads, reads, |_| {
            let mut read = library.reader();
            move || read()
        })
    });
}

fn add_loans<L: Lends + 'static>(peers: &mut Interleaved<'_>) {
    add::<L>(peers, <L as Lends>::NAME, |library, threads, reads| {
        on_threads(threads, reads, |_| {
            let mut lend = library.lender();
            move || lend()
        })
    });
}

fn peers(c: &mut Criterion) {
    let mut peers = Interleaved::new("peers", ROUNDS);
    add_headers::<AuthCore>(&mut peers);
    add_headers::<AliriTokens>(&mut peers);
    add_headers::<AwsSmithyRuntime>(&mut peers);
    add_headers::<AzureCore>(&mut peers);
    add_headers::<GcpAuth>(&mut peers);
    add_headers::<GoogleCloudAuth>(&mut peers);
    add_headers::<Huskarl>(&mut peers);
    add_headers::<Middle>(&mut peers);
    add_headers::<RwLockByHand>(&mut peers);
    add_loans::<AliriTokens>(&mut peers);
    add_loans::<AwsSmithyRuntime>(&mut peers);
    add_loans::<GcpAuth>(&mut peers);
    add_loans::<Huskarl>(&mut peers);
    add_loans::<Middle>(&mut peers);
    let mut group = c.benchmark_group("peers");
    peers.run(&mut group);
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
