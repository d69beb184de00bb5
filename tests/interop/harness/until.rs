//! Waiting for a fixture's counters.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// Waits until `counted` is `count`, for at most a minute.
pub(crate) async fn until(
    what: &str,
    count: u64,
    counted: impl AsyncFn() -> Result<u64>,
) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if counted().await? >= count {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    bail!("{what} was not {count} within a minute")
}
