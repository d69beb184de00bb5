//! Waits for a condition of a server.

use std::{error, fmt, time::Duration};

use anyhow::{Error, Result};
use tokio::time::{Instant, sleep};

/// Most waits take less than a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Repeats `answer` until it returns `Ok`, for at most a minute. Then it returns the last error.
///
/// A [`Permanent`] error is returned at once.
pub(super) async fn eventually<T>(
    what: &str,
    mut answer: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match answer().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is::<Permanent>() => return Err(error),
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error.context(format!("{what}: not after {PATIENCE:?}")));
            }
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// An error that does not change by waiting.
#[derive(Debug)]
pub(super) struct Permanent(String);

impl Permanent {
    pub(super) fn error(why: String) -> Error {
        Error::new(Self(why))
    }
}

impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Permanent {}
