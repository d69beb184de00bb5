//! The cache, over a source that the test scripts and a clock that the test moves.

mod day;
mod expiry;
mod failure;
mod fleet;
mod flight;
mod hostile;
mod keep_warm;
mod lifetimes;
mod model;
mod policy;
mod runtime;
mod settled;
pub(crate) mod source;
mod status;
mod stress;

use std::{future::Future, time::Duration};

use auth_core::{TokenCache, TokenSource, time::Clock};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn cache(source: &(impl TokenSource + Clone), clock: impl Clock) -> TokenCache {
    TokenCache::builder(source.clone()).clock(clock).build()
}

/// Lets every task that can run do so.
pub(crate) async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

/// The header of the token that a read finds.
fn read(tokens: &TokenCache) -> Option<String> {
    let authorization = tokens.cached()?;
    Some(authorization.header().to_str().unwrap().to_owned())
}

/// `count` tasks that all run `job`, and what they come to.
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
