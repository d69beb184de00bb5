//! One read of the cached token by `auth_core` and by other libraries, with 1, 2 and 8 threads.
//!
//! Each round measures all libraries in turn, each with a new cache. The time is that of one thread.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use bench_support::interleaved::Interleaved;
use bench_support::threads::on_threads;
use criterion::{Criterion, criterion_group, criterion_main};
use peers::libraries::{
    Library,
    aliri_tokens::{Checked, Unchecked},
    auth_core::AuthCore,
    aws_smithy_runtime::AwsSmithyRuntime,
    azure_core::AzureCore,
    gcp_auth::GcpAuth,
    google_cloud_auth::GoogleCloudAuth,
    huskarl::Huskarl,
    middle::Middle,
};
use tokio::runtime::Builder;

const THREADS: [usize; 3] = [1, 2, 8];
const ROUNDS: usize = 40;

/// Adds a library. `reads` take a few milliseconds in a thread that runs without interruption.
fn add<R: Library>(peers: &mut Interleaved<'_>, reads: u64) {
    for threads in THREADS {
        let id = format!("{}/{threads}", R::NAME);
        peers.function(&id, reads, move |reads| {
            // tasks of the library end with this runtime, which does not run meanwhile
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let library = runtime.block_on(R::ready());
            on_threads(threads, reads, |_| {
                let mut read = library.reader();
                move || read()
            })
        });
        let ours = format!("{}/{threads}", AuthCore::NAME);
        if id != ours {
            peers.figure(format!("{id} over {ours}"), move |round| {
                round.time(&id) / round.time(&ours)
            });
        }
    }
}

fn peers(c: &mut Criterion) {
    let mut peers = Interleaved::new("peers", ROUNDS);
    add::<AuthCore>(&mut peers, 200_000);
    add::<Checked>(&mut peers, 50_000);
    add::<Unchecked>(&mut peers, 100_000);
    add::<AwsSmithyRuntime>(&mut peers, 10_000);
    add::<AzureCore>(&mut peers, 5_000);
    add::<GcpAuth>(&mut peers, 20_000);
    add::<GoogleCloudAuth>(&mut peers, 20_000);
    add::<Huskarl>(&mut peers, 50_000);
    add::<Middle>(&mut peers, 100_000);
    let mut group = c.benchmark_group("peers");
    peers.run(&mut group);
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
