//! Simulates a fleet: every process is a real [`TokenCache`]; the time, the authorization server and the
//! shared store are simulated.

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

/// The time within which all processes start. A short time is the worst case.
const START_PERIOD: Duration = Duration::from_secs(1);

/// Runs a scenario on this thread. Calls `passed` with the number of simulated minutes that have passed
/// since the last call.
///
/// The record depends only on the scenario and its seed: the library draws its jitter from this thread's
/// generator, which this function seeds, and the runtime has one thread.
///
/// # Errors
/// The runtime cannot be created.
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
        sleep_until(start + START_PERIOD.mul_f64(number as f64 / scenario.processes as f64)).await;
        let mut builder = TokenCache::builder(Arc::clone(&server))
            .refresh_policy(scenario.policy.clone())
            .clock(clock)
            .keep_warm();
        if scenario.shared_store {
            builder = builder.shared_store(store.clone());
        }
        let tokens = builder.build();
        // the first poll starts the token request
        drop(tokens.token().now_or_never());
        processes.push(tokens);
    }
    let mut now = Duration::ZERO;
    while now < scenario.length {
        now += scenario.sample_interval(now);
        sleep_until(start + now).await;
        let without = processes.iter().filter(|tokens| tokens.cached().is_none());
        let without = without.count();
        lock(&record).samples.push((now, without));
        if now.as_secs().is_multiple_of(60) {
            passed(1);
        }
    }
    drop(processes);
    let record = std::mem::replace(&mut *lock(&record), Record::new(start));
    record.of_length(scenario.length)
}
