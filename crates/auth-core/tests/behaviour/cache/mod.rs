//! `TokenCache`, with a scripted token source and a clock that the test moves.

mod changes;
mod custom_policy;
mod expiry;
mod failed_requests;
mod flush;
mod keep_warm;
mod lifetimes;
mod model;
mod panics_and_reentrancy;
mod refresh_jitter;
mod runtimes;
mod single_flight;
mod status;
mod stress;
mod unreliable_server;

use std::future::Future;

use auth_core::{TokenCache, TokenSource, time::Clock};

fn cache(source: &(impl TokenSource + Clone), clock: impl Clock) -> TokenCache {
    TokenCache::builder(source.clone()).clock(clock).build()
}

/// Returns the header of the cached token.
fn read(tokens: &TokenCache) -> Option<String> {
    let authorization = tokens.cached()?;
    Some(authorization.header().to_str().unwrap().to_owned())
}

/// Runs `job` in `count` tasks, and returns their outcomes.
async fn together<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    job: impl Fn() -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(job())).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
