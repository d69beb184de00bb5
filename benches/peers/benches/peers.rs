//! One read of the cached token by `auth_core` and by other libraries, with 1, 2 and 8 threads.
//!
//! Each round measures all libraries in turn, each with a new cache. The time is that of one thread.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use bench_support::interleaved::{Interleaved, Iterations};
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
    rwlock_by_hand::RwLockByHand,
};
use tokio::runtime::Builder;

const THREADS: [usize; 3] = [1, 2, 8];
const ROUNDS: usize = 40;
/// Where each thread has a processor. Otherwise a batch takes many time slices.
const BATCH: Duration = Duration::from_millis(20);

fn add<R: Library>(peers: &mut Interleaved<'_>) {
    for threads in THREADS {
        let id = format!("{}/{threads}", R::NAME);
        let batch = Iterations::lasting(BATCH).on(threads);
        peers.function(&id, batch, move |reads| {
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
    add::<AuthCore>(&mut peers);
    add::<Checked>(&mut peers);
    add::<Unchecked>(&mut peers);
    add::<AwsSmithyRuntime>(&mut peers);
    add::<AzureCore>(&mut peers);
    add::<GcpAuth>(&mut peers);
    add::<GoogleCloudAuth>(&mut peers);
    add::<Huskarl>(&mut peers);
    add::<Middle>(&mut peers);
    add::<RwLockByHand>(&mut peers);
    let mut group = c.benchmark_group("peers");
    peers.run(&mut group);
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
