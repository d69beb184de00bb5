use std::{future::Future, time::Duration};

use tokio::time::timeout;

/// So many seconds.
pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Lets every task that can run do so.
pub async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

/// Waits for what completes by itself within a minute. A test that waits in vain fails.
pub async fn soon<F: Future>(future: F) -> F::Output {
    let outcome = timeout(secs(60), future).await;
    outcome.expect("nothing for a minute")
}
