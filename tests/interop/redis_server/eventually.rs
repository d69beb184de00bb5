//! Waiting for what a server will be some time soon.

use std::{error, fmt, time::Duration};

use anyhow::{Error, Result};
use tokio::time::{Instant, sleep};

/// Most waits take below a second; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until `answer` is `Ok`, for a minute at most; tells then what the last error was.
///
/// A [`Hopeless`] one is told at once.
pub(super) async fn eventually<T>(
    what: &str,
    mut answer: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match answer().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is::<Hopeless>() => return Err(error),
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error.context(format!("{what}: not after {PATIENCE:?}")));
            }
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// An error that waiting will not mend.
#[derive(Debug)]
pub(super) struct Hopeless(String);

impl Hopeless {
    pub(super) fn error(why: String) -> Error {
        Error::new(Self(why))
    }
}

impl fmt::Display for Hopeless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Hopeless {}
