use std::{future::Future, time::Duration};

use tokio::time::timeout;

/// A duration in seconds.
pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Yields until every task that is ready has run.
pub async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

/// Awaits `future` for at most a minute, so that a test fails instead of hanging.
///
/// # Panics
/// If the future has not completed within a minute.
pub async fn with_timeout<F: Future>(future: F) -> F::Output {
    let outcome = timeout(secs(60), future).await;
    outcome.expect("the future did not complete within 60 s")
}
