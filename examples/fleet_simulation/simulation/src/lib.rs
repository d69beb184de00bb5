//! A fleet in simulated time: every process is a real [`TokenCache`], and what it talks to is
//! simulated.

mod authorization_server;
mod record;
mod remote_store;
mod scenario;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::TokenCache;
use auth_testing::TokioClock;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};

use authorization_server::AuthorizationServer;
use record::lock;
pub use record::{BUCKET, Record, rates};
use remote_store::RemoteStore;
pub use scenario::{Capacity, Outage, Overload, Scenario, Silence};

/// All processes start within this time, the worst case.
const STARTED_WITHIN: Duration = Duration::from_secs(1);

/// Runs a scenario on this thread, and tells `passed` of each simulated minute.
///
/// What comes out depends on the scenario and its seed alone: the library draws its jitter from
/// this thread's generator, which is seeded here, and the runtime has one thread.
///
/// # Errors
/// There is no runtime to be had.
pub fn run(scenario: &Scenario, passed: impl Fn(u64)) -> std::io::Result<Record> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    fastrand::seed(scenario.seed);
    Ok(runtime.block_on(fleet(scenario, passed)))
}

async fn fleet(scenario: &Scenario, passed: impl Fn(u64)) -> Record {
    let start = Instant::now();
    let record = Arc::new(Mutex::new(Record::new(start)));
    let server = Arc::new(AuthorizationServer::new(scenario, start, &record));
    let store = RemoteStore::new(&record);
    let clock = TokioClock::new();
    let mut processes: Vec<TokenCache> = Vec::with_capacity(scenario.processes);
    for number in 0..scenario.processes {
        sleep_until(start + STARTED_WITHIN.mul_f64(number as f64 / scenario.processes as f64))
            .await;
        let mut builder = TokenCache::builder(Arc::clone(&server))
            .refresh_policy(scenario.policy.clone())
            .clock(clock)
            .keep_warm();
        if scenario.shared_store {
            builder = builder.shared_store(store.clone());
        }
        let tokens = builder.build();
        // it starts the request; what comes of it is looked at below
        drop(tokens.token().now_or_never());
        processes.push(tokens);
    }
    let mut now = Duration::ZERO;
    while now < scenario.length {
        now += scenario.look_every(now);
        sleep_until(start + now).await;
        let without = processes.iter().filter(|tokens| tokens.cached().is_none());
        let without = without.count();
        lock(&record).looks.push((now, without));
        if now.as_secs().is_multiple_of(60) {
            passed(1);
        }
    }
    drop(processes);
    let record = std::mem::replace(&mut *lock(&record), Record::new(start));
    record.of_length(scenario.length)
}
