use std::{future::Future, time::Duration};

use tokio::time::timeout;

/// What is to come of itself, and shortly: a test that waits in vain ends.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let outcome = timeout(Duration::from_secs(60), future).await;
    outcome.expect("nothing for a minute")
}
